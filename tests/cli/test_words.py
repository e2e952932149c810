"""The words: what each reads; see test_operators.py for what they make of events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aevents.cli.words import WORDS

READ: list[tuple[str, str, dict[str, object]]] = [
    ("--crop", "1,2,30,40", {"x": (1, 30), "y": (2, 40)}),
    ("--polarity", "off", {"keep": False}),
    ("--time-slice", ",90", {"stop": 90}),
    ("--take", "1_000", {"count": 1_000}),
    ("--denoise-us", "2000", {"duration_us": 2_000}),
    ("--without-lines", "0.25", {"fill": 0.25}),
    ("--drop-by-chance", "0.25", {"value": 0.25}),
    ("--drop-by-chance", "0.25,7", {"value": 0.25, "seed": 7}),
    ("--flip", "y", {"value": "y"}),
    ("--scale", "20x30", {"width": 20, "height": 30}),
    (
        "--undistort",
        "60,61,32,24,-0.2,0.05,0,0.5,1",
        {
            "camera": [[60, 0, 32], [0, 61, 24], [0, 0, 1]],
            "distortion": [-0.2, 0.05, 0, 0.5, 1],
        },
    ),
    ("--dtype", "uint8", {"dtype": np.dtype("u1")}),
]
REFUSED = [
    ("--crop", "1,2,3"),
    ("--polarity", "up"),
    ("--time-slice", "5"),
    ("--take", "some"),
    ("--without-lines", "most"),
    ("--drop-by-chance", "0.5,1,2"),
    ("--scale", "20x"),
    ("--scale", "20"),
    ("--mask", "here/is/not.npy"),
    ("--undistort", "1,2,3"),
    ("--dtype", "str"),
    ("--dtype", "float33"),
]
OF = {word.name: word for word in WORDS}


@pytest.mark.parametrize(("name", "text", "options"), READ)
def test_a_word_reads_its_value(name: str, text: str, options: dict[str, object]) -> None:
    assert OF[name].read(text) == options


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_what_is_no_value_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"not|no whole number|no number"):
        OF[name].read(text)


def test_a_mask_is_an_array_in_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", np.eye(3))
    assert np.array_equal(OF["--mask"].read(str(tmp_path / "mask.npy"))["value"], np.eye(3))  # type: ignore[arg-type]  # an array


def test_no_name_is_there_twice() -> None:
    assert len(OF) == len(WORDS)
