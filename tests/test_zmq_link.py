"""Keys of ZeroMQ."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
import zmq
import zmq.auth

import aevents
from aevents._zmq_link import Keys, Link

PUBLIC, SECRET = zmq.curve_keypair()


def test_keys_are_bytes_or_in_files(tmp_path: Path) -> None:
    public, secret = map(Path, zmq.auth.create_certificates(tmp_path, "mine"))
    keys = Keys(str(secret), public)
    assert zmq.curve_public(keys.secret) == keys.server
    assert Keys(SECRET, PUBLIC).secret == SECRET
    assert Keys(SECRET)
    assert not Keys()


WRONG = {
    "too short": SECRET[:-1],
    "no file": SECRET.decode(),
    "no path": SECRET.decode() + "\0",
    "a number": 5,
    "empty": b"",
    "two": ("a", "b"),
}


@pytest.mark.parametrize("secret", WRONG.values(), ids=WRONG)
def test_what_is_no_key_is_not_shown(secret: object) -> None:
    with pytest.raises((ValueError, OSError)) as caught:
        Keys(secret)
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET.decode()[:30] not in shown


def test_a_public_key_is_no_secret_one(tmp_path: Path) -> None:
    public, _ = zmq.auth.create_certificates(tmp_path, "mine")
    with pytest.raises(ValueError, match=r"there is no secret key in .*mine\.key"):
        Keys(public)
    with pytest.raises(FileNotFoundError):
        aevents.open(f"zmq+tcp://127.0.0.1:5?key={tmp_path}/nothing")


def test_keys_are_shown_nowhere() -> None:
    keys = Keys(SECRET, PUBLIC)
    link = Link(endpoint="tcp://*:5", kind="sub", bind=True, keys=keys, queue=1)
    stream = aevents.open("zmq+tcp://127.0.0.1:5", key=SECRET, server=PUBLIC)
    for shown in (repr(keys), str(keys), repr(link), repr(stream), repr(stream.origin)):
        assert SECRET.decode() not in shown
        assert PUBLIC.decode() not in shown
