"""Where downloads are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from aevents.sources.published import Published, cache_folder


def test_downloads_are_kept_where_caches_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "aevents"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "aevents"


def test_what_was_published_does_not_change() -> None:
    file = Published("digits.gz", 3, "abc")
    with pytest.raises(AttributeError):
        file.size = 4  # type: ignore[misc]  # that is the test
