"""Transcripts: equal exactly if the same was said."""

from __future__ import annotations

import itertools

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from unseen.link.transcript import Transcript

SAID = st.lists(
    st.tuples(st.sampled_from(["x", "yy"]), st.sampled_from("ab"), st.binary(max_size=20)), max_size=8
)


def head(said: list[tuple[str, str, bytes]], nonce: bytes = bytes(32)) -> bytes:
    transcript = Transcript(nonce)
    for channel, sender, content in said:
        transcript.add(channel, sender, [content])
    return transcript.head()


@given(SAID)
def test_only_the_order_within_a_direction_of_a_channel_counts(said: list[tuple[str, str, bytes]]) -> None:
    assert head(said) == head(sorted(said, key=lambda item: item[:2]))


@given(SAID, SAID)
def test_different_conversations_have_different_heads(one, other) -> None:
    same = sorted(one, key=lambda item: item[:2]) == sorted(other, key=lambda item: item[:2])
    assert (head(one) == head(other)) == same


@given(st.binary(max_size=50), st.lists(st.integers(0, 50), max_size=4))
def test_parts_do_not_matter_messages_do(content: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    parts = [content[a:b] for a, b in itertools.pairwise(places)]
    transcript = Transcript(bytes(32))
    transcript.add("x", "a", parts)
    assert transcript.head() == head([("x", "a", content)])
    assert head([("x", "a", content), ("x", "a", b"")]) != transcript.head()


def test_names_cannot_be_shifted_into_each_other() -> None:
    assert head([("ab", "c", b"")]) != head([("a", "bc", b"")])
    assert head([("x", "a", b"1"), ("x", "a", b"2")]) != head([("x", "a", b"12")])
    assert head([("x", "a", b"m")]) != head([("x", "b", b"m")])


def test_the_nonce_separates_equal_conversations() -> None:
    assert head([("x", "a", b"m")], b"\1" * 32) != head([("x", "a", b"m")], b"\2" * 32)
    assert Transcript.of(b"\1" * 32).head() != Transcript.of(b"\2" * 32).head()


def test_the_chain_is_the_one_that_is_written_down() -> None:
    """Recomputed by hand from the formula in the module."""
    nonce = bytes(range(32))
    start = blake3(b"unseen/transcript/v1\n" + nonce + b"4:main5:alice").digest()
    one = blake3(start + bytes(8) + (5).to_bytes(8, "big") + b"hello").digest()
    two = blake3(one + (1).to_bytes(8, "big") + bytes(8)).digest()
    expected = blake3(
        b"unseen/transcript-head/v1\n" + nonce + b"4:main5:alice" + (2).to_bytes(8, "big") + two
    ).digest()
    assert head([("main", "alice", b"hello"), ("main", "alice", b"")], nonce) == expected


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_kind_of_buffer(kind) -> None:
    transcript = Transcript(bytes(32))
    transcript.add("x", "a", [kind(b"abc")])
    assert transcript.head() == head([("x", "a", b"abc")])
