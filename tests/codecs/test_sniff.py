"""Which format some bytes are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aevents import Damage, DecodeError, EventBatch, Frame, TriggerBatch, UnknownFormatError
from aevents.codecs.base import SNIFF_BYTES, Buffer, Codec, Hurry
from aevents.codecs.sniff import Recognise, recognise

BATCH = EventBatch.from_columns(t=[1], x=[2], y=[3], p=[1])


class Upper:
    """A decoder that gives one batch, and counts bytes."""

    def __init__(self, *, loud: bool = False) -> None:
        self.counts = {"bytes": 0, "loud": int(loud)}
        self.damage = [Damage("loud", 0)] if loud else []

    def feed(self, data: Buffer, /) -> Iterator[object]:
        self.counts["bytes"] += len(data)
        yield from (BATCH, "something else")

    def flush(self) -> Iterator[object]:
        yield BATCH


A = Codec("a", (".dat", ".a"), Upper, matches=lambda head: head.startswith(b"AA"))
B = Codec("b", (".dat",), Upper, matches=lambda head: head.startswith(b"BB"))
PLAIN = Codec("plain", (".txt",), Upper)
ALSO_PLAIN = Codec("also", (".md", ".TXT".lower()), Upper)


def reader(
    name: str = "x",
    *,
    codecs: tuple[Codec, ...] = (A, B, PLAIN),
    kind: type = EventBatch,
    format: str | None = None,
    **options: object,
) -> Recognise:
    return Recognise(lambda: codecs, name=name, kind=kind, format=format, options=options)


@pytest.mark.parametrize(
    ("head", "name", "codec"),
    [
        (b"AA", "x", A),
        (b"BB", "x.a", B),  # bytes before suffix
        (b"??", "x.txt", PLAIN),
        (b"??", "X.TXT", PLAIN),
    ],
)
def test_first_bytes_then_the_suffix(head: bytes, name: str, codec: Codec) -> None:
    assert recognise(head, lambda: (A, B, PLAIN), name) is codec


def test_a_suffix_is_not_believed_where_the_bytes_should_have_matched() -> None:
    with pytest.raises(UnknownFormatError, match=r"its suffix says a or b \(format='a' reads it"):
        recognise(b"??", lambda: (A, B, PLAIN), "x.dat")
    with pytest.raises(UnknownFormatError, match="known formats: a, b, plain") as caught:
        recognise(b"??", lambda: (A, B, PLAIN), "x")
    assert caught.value.known == ("a", "b", "plain")
    with pytest.raises(UnknownFormatError, match="its suffix says plain or also"):
        recognise(b"??", lambda: (PLAIN, ALSO_PLAIN), "x.txt")


def test_it_waits_until_there_are_enough_bytes() -> None:
    one = reader()
    assert list(one.feed(b"A")) == []
    assert (one.codec, one.counts, one.damage) == (None, {}, ())
    assert list(one.feed(b"A" * SNIFF_BYTES)) == [BATCH]
    assert one.codec is A
    assert list(one.feed(b"A")) == [BATCH]
    assert list(one.flush()) == [BATCH]
    assert one.counts["bytes"] == SNIFF_BYTES + 2


def test_a_short_input_is_recognised_at_its_end() -> None:
    one = reader()
    assert list(one.feed(b"AA")) == []
    assert list(one.flush()) == [BATCH, BATCH]
    assert one.counts["bytes"] == 2


def test_an_empty_input_is_refused_by_name() -> None:
    with pytest.raises(DecodeError, match="street: the input is empty"):
        list(reader("street").flush())
    with pytest.raises(DecodeError, match="a: the input is empty"):
        list(reader("street", format="a").flush())


def test_a_format_by_name_is_not_asked_whether_it_matches() -> None:
    one = reader(format="b", loud=True)
    list(one.feed(b"AA"))
    list(one.flush())
    assert one.codec is B
    assert one.counts["loud"] == 1
    assert one.damage == [Damage("loud", 0)]


def test_a_format_by_name_is_read_from_the_first_byte_on() -> None:
    one = reader(format="a")
    assert list(one.feed(b"")) == []
    assert one.codec is None
    assert list(one.feed(b"A")) == [BATCH]


def test_a_kind_that_the_format_does_not_hold_is_refused() -> None:
    one = reader(kind=TriggerBatch)
    list(one.feed(b"AA"))
    with pytest.raises(ValueError, match="a holds EventBatch, not TriggerBatch"):
        list(one.flush())
    with pytest.raises(ValueError, match="plain holds EventBatch, not Frame"):
        list(reader(kind=Frame, format="plain").feed(b"?" * SNIFF_BYTES))


def test_frames_of_a_format_of_pictures_come_unasked() -> None:
    frame = Frame(BATCH.t, BATCH.span, BATCH.sensor)

    class Pictures(Upper):
        def feed(self, data: Buffer, /) -> Iterator[object]:
            yield frame

    codec = Codec("pictures", (), Pictures, kinds=(Frame,))
    for kind in (EventBatch, Frame, object):
        one = reader(codecs=(codec,), format="pictures", kind=kind)
        assert list(one.feed(b"bytes")) == [frame]
    with pytest.raises(ValueError, match="pictures holds Frame, not TriggerBatch"):
        list(reader(codecs=(codec,), format="pictures", kind=TriggerBatch).feed(b"bytes"))


def test_an_input_that_comes_bit_by_bit_is_decoded_in_a_hurry() -> None:
    class Patient(Upper):
        def hurry(self) -> None:
            self.counts["hurried"] = 1

    patient = Codec("patient", (), Patient)
    for begins, hurried in ((), 0), ((Hurry(),), 1):
        one = reader(codecs=(patient,), format="patient")
        items = [item for part in (*begins, b"bytes") for item in one.feed(part)]
        assert items == [BATCH]
        assert one.counts.get("hurried", 0) == hurried
    plain = reader(codecs=(PLAIN,), format="plain")
    assert list(plain.feed(Hurry())) == []
    assert list(plain.feed(b"bytes")) == [BATCH]
