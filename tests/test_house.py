"""The rules of the house that no tool checks."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import aevents

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "aevents"
TESTS = ROOT / "tests"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
SOURCES = [
    path for pattern in ("*.py", "*.pyi", "*.c", "*.h") for path in sorted(PACKAGE.rglob(pattern))
]

MOST_LINES = 500
FEW_LINES = 300
LONG = {
    "_driver.py": "one state machine and the two ways to turn it, which are read together",
    "_native/compiled.py": "one short function a kernel, all of one kind",
    "stream.py": "one short method an operator",
    "registry.py": "the names of all things, and the verbs that look them up",
    "codecs/aedat2.py": "one walk through a file, of which each step may meet damage",
    "codecs/aedat3.py": "one walk through a file, of which each step may meet damage",
    "codecs/mend_highs.py": "one judgement of a clock, whose steps are read together",
    "codecs/mend.py": "one walk through words, of which each step may meet damage",
    "codecs/packed.py": "the run of a decoder, and of the encoder that writes what it reads",
    "codecs/base.py": "what every format is made of, a short class each",
    "codecs/aedat4.py": "one walk through a file, of which each step may meet damage",
    "types.py": "the values that flow, a short class each",
}
"""Files of more than FEW_LINES, each with the reason why it is not two."""

NOTHING_TO_TEST = {
    "__init__.py": "the public names: tests/test_docs.py compares them with the reference",
    "__main__.py": "calls the entry that tests/cli calls",
    "_capture/__init__.py": "a docstring",
    "cameras/__init__.py": "a docstring",
    "cli/__init__.py": "a docstring",
    "codecs/__init__.py": "a docstring",
    "containers/__init__.py": "a docstring",
    "interop/__init__.py": "a docstring",
    "junctions/__init__.py": "a docstring",
    "operators/__init__.py": "a docstring",
    "sinks/__init__.py": "a docstring",
    "sources/__init__.py": "a docstring",
    "viewer/__init__.py": "a docstring",
    "testing/__init__.py": "names of its modules",
    "testing/cameras/__init__.py": "names of its modules",
    "_native/build.py": "runs when the package is built, and all of native stands on it",
    "_native/twins/__init__.py": "names of its modules",
}
"""Modules without a test module of their own."""

NO_MODULE_OF_THEIR_NAME = {
    "test_docs.py": "README and docs",
    "test_examples.py": "examples",
    "test_house.py": "this",
    "viewer/test_page.py": "aevents/viewer/static in a browser",
    "native/test_recordings.py": "C against the twins on real recordings",
    "native/test_sanitizers.py": "the kernels under sanitizers",
    "native/test_simde.py": "the kernels of other instruction sets, emulated",
}
"""Test modules of something that is no module; so are all in `laws`, and most in `interop`."""
APART = ("laws/", "interop/")

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "stuff"}
OPTIONAL = (
    "torch",
    "jax",
    "av",
    "cv2",
    "h5py",
    "hdf5plugin",
    "httpx",
    "zmq",
    "usb",
    "starlette",
    "uvicorn",
)


def test_no_file_is_too_long() -> None:
    lengths = {
        path.relative_to(PACKAGE).as_posix(): path.read_text().count("\n") for path in SOURCES
    }
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}
    long = {name for name, length in lengths.items() if length > FEW_LINES and name[-3:] == ".py"}
    assert long == set(LONG), "list it in LONG with a reason, or take it off that list"


def test_each_module_has_one_test_module_of_its_name() -> None:
    expected = {mirrored(module) for module in MODULES if module not in NOTHING_TO_TEST}
    found = {path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")}
    assert sorted(expected - found) == []  # modules without a test module
    others = {path for path in found - expected if not path.startswith(APART)}
    assert sorted(others) == sorted(NO_MODULE_OF_THEIR_NAME)


def test_the_exceptions_are_of_files_that_exist() -> None:
    assert set(NOTHING_TO_TEST) <= set(MODULES)
    assert set(LONG) <= set(MODULES)


def mirrored(module: str) -> str:
    """Return the path of a module's tests: `_driver.py` is tested in `test_driver.py`."""
    *folders, name = module.split("/")
    bare = name.removesuffix(".py").strip("_")
    return "/".join((*(folder.lstrip("_") for folder in folders), f"test_{bare}.py"))


def test_names_of_modules_say_what_they_are() -> None:
    names = {part.removesuffix(".py").strip("_") for path in MODULES for part in path.split("/")}
    assert names & VAGUE == set()


def test_every_module_says_what_it_is() -> None:
    silent = [
        name for name in MODULES if not ast.get_docstring(ast.parse((PACKAGE / name).read_text()))
    ]
    assert silent == []


def test_the_public_names_are_sorted_and_there() -> None:
    names = aevents.__all__  # in ruff's order: constants, classes, functions
    assert names == sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert len(set(names)) == len(names)
    assert all(hasattr(aevents, name) for name in names)


@pytest.mark.parametrize("name", aevents.__all__)
def test_a_public_name_has_a_docstring(name: str) -> None:
    value = getattr(aevents, name)
    if inspect.isclass(value) or inspect.isfunction(value) or inspect.ismodule(value):
        assert value.__doc__
        assert undocumented(value) == []
    else:  # a constant: its docstring stands below it
        assert any(name in documented_constants(path) for path in PACKAGE.rglob("*.py"))


def undocumented(value: object) -> list[str]:
    """Return the public methods of a class that have no docstring of their own."""
    if not inspect.isclass(value):
        return []
    return [
        name
        for name, member in vars(value).items()
        if not name.startswith("_")
        and (inspect.isfunction(member) or isinstance(member, property | classmethod))
        and not member.__doc__
    ]


def documented_constants(path: Path) -> set[str]:
    """Return the names that are assigned in a module and followed by a string."""
    body = ast.parse(path.read_text()).body
    names = set()
    for statement, after in pairwise(body):
        match statement, after:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str())),
            ):
                names.add(name)
    return names


def test_importing_loads_nothing_optional() -> None:
    code = f"import sys, aevents; print([name for name in {OPTIONAL} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
