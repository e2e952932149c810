"""The notebooks in `examples` run, in a kernel of their own, from the first cell to the last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
WIDGET = "application/vnd.jupyter.widget-view+json"


def executed(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Run a notebook in a folder; return what its cells showed, by MIME type."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(folder / ".ipython"))
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat's own
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=120, resources=resources, kernel_name="python3").execute()
    return [*shown(notebook)]


def shown(notebook: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  # JSON
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text
            yield dict(output.get("data", {}))


def named(name: str) -> Path:
    return ROOT / "examples" / name


@pytest.mark.timeout(180)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Jupyter's own, as it changes
def test_look_around_shows_values_and_plots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, peek, frame, events, report, *plots = executed(
        named("look_around.ipynb"), tmp_path, monkeypatch
    )
    assert "await stream.peek()" in stream["text/html"]
    for one, text in ((peek, ">10,000</td>"), (frame, ">polarity</td>"), (events, ">500,000</td>")):
        assert text in one["text/html"]
        assert "data:image/png;base64," in one["text/html"]
        assert "image/png" in one
    assert ">delivered</th>" in report["text/html"]
    assert ["image/png" in one for one in plots] == [True, True]
    assert (tmp_path / "left.raw").stat().st_size > 1_000


@pytest.mark.timeout(180)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_watch_live_shows_a_view_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, report, second, most = executed(named("watch_live.ipynb"), tmp_path, monkeypatch)
    assert (WIDGET in first, WIDGET in second) == (True, True)
    assert ">queue_dropped_oldest</th>" in report["text/html"]
    assert "float32" in most["text/plain"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_short_and_without_what_it_showed(path: Path) -> None:
    cells = json.loads(path.read_text())["cells"]
    assert path.stat().st_size < 8_000
    assert cells[0]["source"][0].startswith("# ") or cells[0]["source"].startswith("# ")
    for cell in cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


def test_each_notebook_is_run() -> None:
    assert [path.name for path in NOTEBOOKS] == ["look_around.ipynb", "watch_live.ipynb"]
