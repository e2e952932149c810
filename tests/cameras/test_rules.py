"""Rules of udev: what they say, and which are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from aevents.cameras.rules import command_for, rules_for, without_rule

MODELS = [(0x152A, 0x8419), (0x04B4, 0x00F5), (0x152A, 0x8400)]
RULES = [
    'SUBSYSTEM=="usb", ATTRS{idVendor}=="04b4", ATTRS{idProduct}=="00f5", TAG+="uaccess"',
    'SUBSYSTEM=="usb", ATTRS{idVendor}=="152a", ATTRS{idProduct}=="8400|8419", TAG+="uaccess"',
]


def test_there_is_one_for_each_vendor() -> None:
    assert rules_for(MODELS) == RULES


def test_the_command_writes_them_before_the_rule_that_heeds_them() -> None:
    command = command_for("inivation", MODELS)
    assert all(f"'{rule}'" in command for rule in RULES)
    assert "sudo tee /etc/udev/rules.d/65-inivation.rules && sudo udevadm control" in command


def test_what_we_tell_to_write_is_a_rule_for_all(tmp_path: Path) -> None:
    assert without_rule(MODELS, [str(tmp_path)]) == MODELS
    (tmp_path / "65-inivation.rules").write_text("\n".join(RULES))
    assert without_rule(MODELS, [str(tmp_path / "none"), str(tmp_path)]) == []


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ('ATTRS{idVendor}=="152a", TAG+="uaccess"', MODELS[1:2]),
        ('ATTR{idVendor}=="152A", \\\n  MODE="0666"', MODELS[1:2]),
        ('ATTRS{idVendor}=="152a", ATTRS{idProduct}=="8400", GROUP:="video"', MODELS[:2]),
        ('# ATTRS{idVendor}=="152a", TAG+="uaccess"', MODELS),
        ('ATTRS{idVendor}=="152a", MODE=="0666", SYMLINK+="camera"', MODELS),
        ('ATTRS{idVendor}=="046d", MODE="0666"', MODELS),
        ('ATTRS{idVendor}=="1*", MODE="0666"', MODELS),
    ],
)
def test_rules_of_others_count_if_they_give_rights(
    text: str, missing: list[tuple[int, int]], tmp_path: Path
) -> None:
    (tmp_path / "99-cameras.rules").write_text(text)
    assert without_rule(MODELS, [str(tmp_path)]) == missing


def test_a_file_that_is_not_there_any_more_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "10-gone.rules").symlink_to(tmp_path / "gone")
    assert without_rule(MODELS, [str(tmp_path)]) == MODELS
