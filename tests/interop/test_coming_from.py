"""What the page for people who move over shows of other software prints the same there."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from aevents.codecs.dat import DatEncoder
from aevents.codecs.evt3 import Evt3Encoder
from aevents.codecs.npy import NpyEncoder
from aevents.testing import encode
from tests.test_docs import STREET, assert_printed

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "howto" / "coming-from-other-software.md"
PYTHON = Path(os.environ.get("AEVENTS_PEERS", ROOT / ".venv-peers" / "bin" / "python"))
PAIR = re.compile(
    r"^<!-- not run: it is (\w+)'s -->\n```python\n(.*?)^```$.*?^```text\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
PAIRS: list[tuple[str, str, str]] = PAIR.findall(PAGE.read_text())


@pytest.mark.timeout(120)
@pytest.mark.skipif(not PYTHON.exists(), reason=f"no {PYTHON}: make .venv-peers/.installed")
@pytest.mark.parametrize(("peer", "code", "printed"), PAIRS)
def test_the_other_software_prints_the_same(
    peer: str, code: str, printed: str, tmp_path: Path
) -> None:
    (tmp_path / "street.raw").write_bytes(encode(Evt3Encoder(), [STREET]))
    (tmp_path / "street.dat").write_bytes(encode(DatEncoder(), [STREET]))
    (tmp_path / "street.npy").write_bytes(encode(NpyEncoder(), [STREET]))
    command = [str(PYTHON), "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert_printed(printed, done.stdout, peer)


def test_each_of_them_is_there() -> None:
    assert {peer for peer, _, _ in PAIRS} == {"aestream", "tonic", "faery", "ocycle"}
