"""The README and the documentation tell the truth: every example runs, and prints what it says.

A page's blocks run in order, in a folder of their own with small recordings in it:

    ```python    runs; the blocks of a page share their names, and may await at the top
    ```console   its lines `$ … aevents …` run and exit with 0; other lines are what they print
    ```text      is what the block before it printed (`...` stands for anything)

A fence without a language is only shown. So is a block after `<!-- not run: why -->`.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import doctest
import importlib
import inspect
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import aevents
from aevents.codecs.csv import CsvEncoder
from aevents.codecs.evt3 import Evt3Encoder
from aevents.codecs.npy import NpyEncoder
from aevents.registry import codecs
from aevents.testing import assert_same, encode, example_events

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = [
    path for path in sorted((ROOT / "aevents").rglob("*.py")) if "    >>> " in path.read_text()
]
FENCE = re.compile(
    r"^(?P<shown><!-- not run: [^\n]+ -->\n)?```(?P<kind>python|console|text)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
ENTRY = f"""#!{sys.executable}
from aevents.cli.main import main
raise SystemExit(main())
"""
STREET = example_events(20_000)


class Block(NamedTuple):
    """A fenced block: its language, its lines, and the number of the first of them."""

    kind: str
    body: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page that are to be run or compared."""
    text = page.read_text()
    for match in FENCE.finditer(text):
        if not match["shown"]:
            yield Block(match["kind"], match["body"], text.count("\n", 0, match.start("body")))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run in, with recordings, and with the command `aevents` on the path."""
    (tmp_path / "street.raw").write_bytes(encode(Evt3Encoder(), [STREET]))
    (tmp_path / "street.csv").write_bytes(encode(CsvEncoder(), [STREET]))
    (tmp_path / "street.npy").write_bytes(encode(NpyEncoder(), [STREET]))
    commands = tmp_path / ".commands"
    commands.mkdir()
    (commands / "aevents").write_text(ENTRY)
    (commands / "aevents").chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_example_of_a_page_runs(page: Path, folder: Path) -> None:
    namespace: dict[str, object] = {"__name__": "__main__"}
    printed = ""
    with asyncio.Runner() as runner:
        for block in blocks(page):
            if block.kind == "python":
                printed = run_python(block, page, namespace, runner)
            elif block.kind == "console":
                printed = run_console(block, page)
            else:
                assert_printed(block.body, printed, f"{page.name}:{block.line}")


def test_every_way_to_read_gives_the_same_in_both_columns(folder: Path) -> None:
    (folder / "street.raw").write_bytes(encode(Evt3Encoder(), [example_events(2_000)]))
    rows = re.findall(r"^\| .+ \| `(.*await .+)` \| `(.+)` \|$", PAGES[0].read_text(), re.MULTILINE)
    assert len(rows) == 9
    names = {"aevents": aevents, "np": np, "ms": aevents.ms, "rec": aevents.open("street.raw")}
    with asyncio.Runner() as runner:
        for awaited, blocking in rows:
            code = compile(awaited, "README.md", "eval", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            answer, same = runner.run(eval(code, names)), eval(blocking, names)
            if isinstance(answer, np.ndarray):
                np.testing.assert_array_equal(answer, same)
            else:
                assert_same(*(one if isinstance(one, list) else [one] for one in (answer, same)))


def test_no_example_hides_from_the_tests() -> None:
    for page in PAGES:
        text = page.read_text()
        fences = re.findall(r"^ *```(?:python|console|text|py|bash|sh)\b", text, re.MULTILINE)
        assert len(fences) == len(FENCE.findall(text)), page


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_example_in_a_docstring_runs(path: Path) -> None:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert (failed, tried > 0) == (0, True)


def test_every_public_name_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "api.md").read_text()
    documented = re.findall(r"^::: aevents\.(\w+)$", page, re.MULTILINE)
    assert sorted(documented) == sorted(aevents.__all__)


def test_every_law_that_can_be_checked_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "api.md").read_text()
    documented = set(re.findall(r"^::: aevents\.testing\.(\w+)$", page, re.MULTILINE))
    assert {"check_codec", "check_operator", "check_source", "check_sink"} <= documented


def test_every_format_is_in_the_reference() -> None:
    formats = (ROOT / "docs" / "reference" / "formats.md").read_text()
    support = (ROOT / "docs" / "reference" / "support.md").read_text()
    for codec in codecs():
        assert re.search(rf"^## .*`{codec.name}`", formats, re.MULTILINE), codec.name
        assert re.search(rf"^\| `{codec.name}` \|", support, re.MULTILINE), codec.name


def test_every_count_is_explained() -> None:
    page = (ROOT / "docs" / "reference" / "formats.md").read_text()
    names = {name for path in (ROOT / "aevents").rglob("*.py") for name in counted(path)}
    assert {"torn_bytes", "late_events", "outside_frame", "untimed", "bad_lines"} <= names
    for name in names:
        assert f"| `{name}` |" in page, name


def counted(path: Path) -> Iterator[str]:
    """Yield the names under which a module counts: those given to `note`, and keys of `counts`."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="note"), args=[ast.Constant(value=str(name)), *_]
            ):
                yield name
            case ast.AnnAssign(target=ast.Attribute(attr="counts"), value=ast.Dict(keys=keys)):
                yield from (str(key.value) for key in keys if isinstance(key, ast.Constant))
            case ast.FunctionDef(name="anomalies", body=[*_, ast.Return(ast.Dict(keys=keys))]):
                yield from (str(key.value) for key in keys if isinstance(key, ast.Constant))


def run_python(
    block: Block, page: Path, namespace: dict[str, object], runner: asyncio.Runner
) -> str:
    """Run a block; return what it printed."""
    code = compile(
        "\n" * block.line + block.body,  # so that a traceback shows the line of the page
        str(page),
        "exec",
        flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        dont_inherit=True,
    )
    with contextlib.redirect_stdout(io.StringIO()) as out:
        awaitable = eval(code, namespace)
        if code.co_flags & inspect.CO_COROUTINE:
            runner.run(awaitable)
    return out.getvalue()


def run_console(block: Block, page: Path) -> str:
    """Run the lines of a block that call aevents; return what they printed, and compare it."""
    lines = block.body.splitlines(keepends=True)
    commands = [line[2:].strip() for line in lines if line.startswith("$ ")]
    shown = "".join(line for line in lines if not line.startswith("$ "))
    printed = "".join(
        run_command(command, page)
        for command in commands
        if re.search(r"(^|\|) *aevents\b", command)
    )
    if shown:
        assert_printed(shown, printed, f"{page.name}:{block.line}")
    return printed


def run_command(command: str, page: Path) -> str:
    """Run one line of a shell; return what it printed."""
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{page.name}: {command}\n{done.stdout}{done.stderr}"
    return done.stdout


def assert_printed(expected: str, printed: str, where: str) -> None:
    """Assert that this was printed, up to blanks, where `...` stands for anything."""
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    same = doctest.OutputChecker().check_output(expected, printed, options)
    assert same, f"{where} says\n{expected}\nand this was printed:\n{printed}"
