"""Every async test runs on asyncio and on uvloop; a test that blocks the event loop fails."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import settings

from aevents.cameras import metavision_bridge
from tests.hal.sdk import StandIn

sys.path.append(str(Path(__file__).parents[1]))  # for processes that import functions of tests

settings.register_profile("house", deadline=None)  # the machines are noisy
settings.load_profile("house")

ROOT = Path(__file__).parent.parent
RECORDINGS = Path(os.environ.get("AEVENTS_RECORDINGS", ROOT.parent / "shared" / "recordings"))


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def pytest_configure() -> None:
    """Let Ctrl-C through to the programs that tests start, even where we run in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give time to tests with a stand-in for a library: the first of them compiles it."""
    for item in items:
        if "hal" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(120))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failure: what it needs is installed there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("skipped tests fail in CI", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def blockbuster(request: pytest.FixtureRequest) -> Iterator[BlockBuster | None]:
    """Fail what blocks the loop; files and sleeps inside tests themselves are their own affair."""
    if request.node.get_closest_marker("asyncio") is None:
        yield None
        return
    with blockbuster_ctx("aevents", excluded_modules=["aevents.testing"]) as blocked:
        for name in ("os.stat", "os.unlink"):  # the path of a socket, when it is bound or closed
            at = "aevents/_zmq_socket.py"
            blocked.functions[name].can_block_in(at, {"check", "take", "leave"})
        yield blocked


@pytest.fixture
def recordings() -> Path:
    """The folder of real recordings; where it is not there, tests on them are skipped."""
    if not RECORDINGS.is_dir():
        pytest.skip("no recordings beside the project: set AEVENTS_RECORDINGS")
    return RECORDINGS


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """A stand-in for Metavision HAL, and our bridge to it, compiled once."""
    if shutil.which("c++") is None:
        pytest.skip("there is no C++ compiler: apt-get install g++")
    folder = tmp_path_factory.mktemp("metavision")
    stand_in = StandIn(folder / "sdk")
    with pytest.MonkeyPatch.context() as patch:
        set_up(patch, folder)
        metavision_bridge.build()
    return stand_in


@pytest.fixture
def hal(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The same, as the HAL of this machine, without a camera and without trouble."""
    set_up(monkeypatch, stand_in.folder.parent)
    yield stand_in
    stand_in.trouble()
    stand_in.unplug(*stand_in.plugged)


def set_up(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the SDK and the cache in a folder be those of this machine."""
    patch.setenv("AEVENTS_METAVISION", str(folder / "sdk"))
    patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))


@pytest.fixture
def open_files() -> Iterator[Callable[[], set[str]]]:
    """A function that gives the regular files that this process has open."""

    def files() -> set[str]:
        gc.collect()
        found = set()
        for entry in Path("/proc/self/fd").iterdir():
            try:
                target = entry.readlink()
            except OSError:
                continue
            if target.is_file() and "aevents-test" in str(target):
                found.add(str(target))
        return found

    yield files
    assert not files(), "a test left its files open"
