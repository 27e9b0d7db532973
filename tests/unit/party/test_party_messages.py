"""Typed messages: what was written comes back, and nothing else is taken for one."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import LocalProtocolError, RemoteProtocolError
from unseen.party import (
    Ciphertext,
    CiphertextBytes,
    Disclosure,
    DisclosurePolicy,
    Door,
    Gate,
    Masked,
    MemoryJournal,
    Message,
    Public,
    Released,
    Share,
    require,
)
from unseen.party.messages import decode, encode, kinds, tag_of


class Everything(Message, frozen=True, tag="test.everything/1"):
    share: Share
    masked: Masked
    cipher: Ciphertext
    raw: CiphertextBytes
    count: Public[int]
    names: Public[tuple[str, ...]]
    told: Released[np.ndarray]


class Other(Message, frozen=True, tag="test.other/1"):
    share: Share


def released(value: object) -> Released:  # type: ignore[type-arg]
    told = Disclosure("x", "a value", ("b",), Door.RELEASE)
    gate = Gate("a", DisclosurePolicy("c", "t", (told,)), MemoryJournal())
    return gate.release("x", value, to=("b",), elements=1)


def sample(dtype: str = "u8", shape: tuple[int, ...] = (2, 3)) -> Everything:
    numbers = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    return Everything(
        share=numbers.astype(dtype),
        masked=numbers.astype(np.uint8),
        cipher=np.zeros((0, 32), np.uint8),
        raw=b"\0\1\2",
        count=7,
        names=("p", "q"),
        told=released(numbers.astype(np.float64)),
    )


def wire(message: Message) -> bytes:
    return b"".join(bytes(part) for part in encode(message))


def back(data: bytes, kind: type[Message] = Everything) -> Message:
    return decode(memoryview(bytearray(data)), kind, sender="b")


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i8", "f8", "?"])
@pytest.mark.parametrize("shape", [(2, 3), (0,), (), (1, 1, 1, 1, 2)])
def test_it_comes_back(dtype: str, shape: tuple[int, ...]) -> None:
    sent = sample(dtype, shape)
    got = back(wire(sent))
    assert isinstance(got, Everything)
    for name in ("share", "masked", "cipher"):
        one, other = getattr(sent, name), getattr(got, name)
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        assert np.array_equal(one, other)
    assert (got.raw, got.count, got.names) == (b"\0\1\2", 7, ("p", "q"))
    assert np.array_equal(got.told.value, sent.told.value)


def test_arrays_that_do_not_lie_in_a_row_come_back() -> None:
    numbers = np.arange(24, dtype=np.uint64).reshape(4, 6)
    for odd in (numbers.T, numbers[::2, ::3], numbers[::-1]):
        assert np.array_equal(back(wire(Other(odd)), Other).share, odd)  # type: ignore[attr-defined]


def test_every_field_says_its_kind() -> None:
    assert list(kinds(Everything).values()) == [
        "share",
        "masked",
        "ciphertext",
        "ciphertext",
        "public",
        "public",
        "released",
    ]

    class Silent(Message, frozen=True, tag="test.silent/1"):
        values: np.ndarray

    with pytest.raises(TypeError, match="does not say its kind"):
        encode(Silent(np.zeros(1)))


def test_a_message_needs_a_tag() -> None:
    class Nameless(Message, frozen=True):
        values: Share

    with pytest.raises(TypeError, match="no tag"):
        tag_of(Nameless)


def test_only_the_gate_makes_released_values() -> None:
    with pytest.raises(LocalProtocolError, match="Only the gate"):
        Released(1, object())
    plain = msgspec.structs.replace(sample(), told=np.zeros(1))
    with pytest.raises(LocalProtocolError, match="released"):
        encode(plain)
    with pytest.raises(LocalProtocolError, match="share"):
        encode(msgspec.structs.replace(sample(), share=released(np.zeros(1))))


@pytest.mark.parametrize(
    "array", [np.array(["a"]), np.array([object()]), np.zeros(1, ">u8"), np.zeros([1] * 9)]
)
def test_what_does_not_travel(array: np.ndarray) -> None:
    with pytest.raises(LocalProtocolError, match="cannot be sent"):
        encode(Other(array))


def test_another_message_or_version_is_refused_by_name() -> None:
    with pytest.raises(RemoteProtocolError, match=r"test\.other/1") as caught:
        back(wire(sample()), Other)
    assert caught.value.party == "b"


def test_every_beginning_and_everything_longer_is_refused() -> None:
    data = wire(sample())
    for length in range(len(data)):
        with pytest.raises(RemoteProtocolError):
            back(data[:length])
    with pytest.raises(RemoteProtocolError, match="left over"):
        back(data + b"\0")


def head(*items: object, rest: bytes = b"") -> bytes:
    packed = msgspec.msgpack.encode(["test.other/1", *items])
    return len(packed).to_bytes(4, "little") + packed + rest


BAD = {
    "no array": head(5),
    "no list": (1).to_bytes(4, "little") + b"\xc0",
    "an unknown dtype": head(["O", [1]], rest=bytes(8)),
    "a dtype that is none": head([["u1"], [1]], rest=bytes(8)),
    "a negative size": head(["u1", [-1]]),
    "a size that is none": head(["u1", ["1"]], rest=b"\0"),
    "a fraction of a size": head(["u1", [1.0]], rest=b"\0"),
    "a shape that is none": head(["u1", 1], rest=b"\0"),
    "more memory than there is": head(["u8", [1 << 39, 1 << 39]]),
    "nine dimensions": head(["u1", [1] * 9], rest=b"\0"),
    "an overflow to a fitting size": head(["u8", [1 << 39, 1 << 39, 1 << 39, 8]], rest=bytes(8)),
    "a Boolean of two": head(["b1", [1]], rest=b"\2"),
    "too many fields": head(["u1", [1]], 1, rest=b"\0"),
    "too few": head(),
    "a head longer than all": b"\xff\xff\xff\xff",
    "nothing": b"",
    "nested beyond reason": (9000).to_bytes(4, "little") + b"\x91" * 8999 + b"\xc0",
    "an extension": (3).to_bytes(4, "little") + b"\xd4\x01\x00",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_message_is_refused_before_anything_is_allocated(name: str) -> None:
    with pytest.raises(RemoteProtocolError):
        back(BAD[name], Other)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_a_message_or_an_error(place: int, change: int) -> None:
    data = bytearray(wire(sample()))
    data[place % len(data)] ^= change
    try:
        got = back(bytes(data))
    except RemoteProtocolError:
        return
    assert wire(got) == bytes(data)  # one encoding only: what is taken is what would be written


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200))
def test_rubbish_is_an_error(data: bytes) -> None:
    for body in (data, len(data).to_bytes(4, "little") + data):
        with pytest.raises(RemoteProtocolError):
            back(body)


def test_a_shape_or_dtype_that_is_not_due_is_refused_by_name() -> None:
    array = np.zeros((2, 3), np.uint64)
    require(array, shape=(2, 3), dtype=np.uint64, sender="b")
    for shape, dtype in (((3, 2), np.uint64), ((2, 3), np.uint32)):
        with pytest.raises(RemoteProtocolError, match="is due") as caught:
            require(array, shape=shape, dtype=dtype, sender="b")
        assert caught.value.party == "b"
