"""Exit codes, one-line errors, pipes that close, and what the entry point imports."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aevents.cli import main
from aevents.cli.main import execute
from aevents.codecs.evt2 import Evt2Encoder
from aevents.testing import encode, example_events
from tests.cli.conftest import COMMAND, ENVIRONMENT, ROOT, Cli

WRONG = [
    (["info"], 'Command "info" parameter FILE requires an argument.'),
    (["inf", "x"], 'Unknown command "inf". Did you mean "info"?'),
    (["info", "in.raw", "--jsn"], "Unknown option: --jsn. Did you mean --json?"),
    (["info", "--jsn", "in.raw"], "Unknown option: --jsn. Did you mean --json?"),
    (["info", "in.raw", "more"], "Unused Tokens: ['more']."),
    (["info", "in.raw", "--size", "6x"], "a sensor size is WIDTHxHEIGHT, like 640x480, not '6x'"),
    (["info", "in.raw", "--format", "foo"], "no format is called 'foo'; known formats: "),
    (["run", "in.raw"], 'Command "run" parameter --to requires an argument.'),
    (["run", "in.raw", "--to", "a.raw", "--crop", "1,2"], "a region is LEFT,TOP,RIGHT,BOTTOM"),
    (["run", "in.raw", "--to", "a.raw", "--crop", "9,0,9,5"], "0 <= start < stop, not (9, 9)"),
    (["run", "in.raw", "--to", "a.raw", "--crop", "0,0,999,5"], "reaches beyond the sensor"),
    (["convert", "in.raw", "a.raw", "--window-us", "5"], "Unknown option: --window-us."),
    (["convert", "in.raw", "a.what"], "aevents: '.what' is no format that can be written here"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_a_wrong_command_line_is_exit_2_and_one_line(
    arguments: list[str],
    said: str,
    recording: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(recording.parent)
    assert execute(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("aevents: ")
    assert said in err
    assert err.count("\n") == 1


BAD = [
    (["info", "none.raw"], "aevents: none.raw: No such file or directory"),
    (["info", "."], "aevents: .: Is a directory"),
    (["info", "empty.raw"], "aevents: empty.raw: the input is empty"),
    (["info", "noise.raw"], "aevents: noise.raw begins with b'noise...', which is no format known"),
    (["info", "in.raw", "--format", "evt2"], "aevents: evt2: the header says EVT3"),
    (["info", "other:place"], "aevents: other: is no source known here"),
    (["convert", "in.raw", "none/a.raw"], "to write a.raw into"),
    (["run", "in.raw", "--to", "none/a.raw"], "aevents: no folder none to write a.raw into"),
    (["run", "none.raw", "--to", "a.raw"], "aevents: none.raw: No such file or directory"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD)
def test_bad_data_is_exit_1_and_one_line(
    arguments: list[str],
    said: str,
    recording: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(recording.parent)
    Path("empty.raw").touch()
    Path("noise.raw").write_bytes(b"noise..." * 20)
    assert execute(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1
    assert not Path("a.raw").exists()


def test_a_process_ends_with_the_code_and_without_a_traceback(cli: Cli) -> None:
    ended = cli("info", "none.raw")
    assert ended.returncode == 1
    assert ended.stderr == b"aevents: none.raw: No such file or directory\n"


def test_debug_lets_the_traceback_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AEVENTS_DEBUG", "1")
    with pytest.raises(FileNotFoundError):
        execute(["info", "none.raw"])


def test_an_error_of_our_own_making_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_words: object) -> list[str]:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(main, "hide_hyphen", broken)
    assert execute([]) == 1
    expected = "aevents: RuntimeError: two lines (this is a bug; AEVENTS_DEBUG=1 shows where)\n"
    assert capsys.readouterr().err == expected


def test_an_error_without_a_file_says_what_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_words: object) -> list[str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(main, "hide_hyphen", full)
    assert execute([]) == 1
    assert capsys.readouterr().err == "aevents: No space left on device\n"


def test_ctrl_c_before_anything_runs_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_words: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "hide_hyphen", interrupted)
    assert execute(["formats"]) == 130


def test_a_reader_that_leaves_ends_it_quietly(
    tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    events = example_events(300_000)  # more than a pipe holds
    (tmp_path / "long.raw").write_bytes(encode(Evt2Encoder(), [events]))
    with start("run", "long.raw", "--to", "-") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(2) == b"% "
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 0
    assert said.startswith(b"events ")  # the figures, and no complaint
    assert b"rror" not in said


def test_help_names_every_command_and_every_operator(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--help"]) == 0
    assert execute(["run", "--help"]) == 0
    said = capsys.readouterr().out
    for word in ("convert", "formats", "info", "run", "--crop", "--window-us", "--no-partial"):
        assert word in said


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--version"]) == 0
    assert capsys.readouterr().out.strip() in (main.version_of("aevents"), "not installed")


def test_version_of_what_is_not_installed_says_so() -> None:
    assert main.version_of("aevents-that-is-not-there") == "not installed"


def test_main_takes_the_arguments_of_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["aevents", "formats"])
    assert main.main() == 0
    assert "evt3" in capsys.readouterr().out


REFERENCE = (ROOT / "docs" / "reference" / "cli.md").read_text()
FIRST, *BLOCKS = re.findall(r"```console\n(.*?)```", REFERENCE, flags=re.S)


@pytest.mark.timeout(60)  # several processes each
@pytest.mark.parametrize("block", BLOCKS)
def test_the_commands_of_the_reference_run(block: str, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "aevents"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    program.chmod(0o755)
    environment = ENVIRONMENT | {"PATH": f"{program.parent}:{ENVIRONMENT['PATH']}"}
    script = "set -e -o pipefail\n" + re.sub(r"^\$ ", "", FIRST + block, flags=re.M)
    ended = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True
    )
    assert ended.returncode == 0, ended.stderr.decode()


def test_importing_it_loads_nothing_that_only_some_commands_need() -> None:
    code = "import sys, aevents.cli.main; print({'rich', 'av', 'torch'} & {*sys.modules})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, env=ENVIRONMENT)
    assert ended.stdout == b"set()\n"
