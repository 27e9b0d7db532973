"""Both sides settle their terms alike, whatever they say; impossible numbers are refused."""

from __future__ import annotations

import math
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.client.psi import terms
from unseen.client.psi.terms import CALLER, LISTENER, Start, Terms, check_numbers, check_start, plan, settle
from unseen.core.errors import RemoteProtocolError, UsageError

PLAIN = Terms(1, ("text",), "auto", "semi-honest", False, (), True, 1 << 30, 1, 0.001, 1e8)

some = st.builds(
    Terms,
    format=st.just(1),
    kinds=st.sampled_from([("text",), ("text", "phone")]),
    method=st.sampled_from(["auto", "dh", "nonsense"]),
    security=st.sampled_from(["semi-honest", "malicious"]),
    symmetric=st.booleans(),
    receivers=st.sampled_from([(), (LISTENER,), (CALLER,), (CALLER, LISTENER)]),
    wants=st.booleans(),
    memory_bytes=st.sampled_from([1 << 26, 1 << 30]),
    parts=st.sampled_from([1, 8]),
    latency_s=st.sampled_from([0.0, 0.01]),
    bytes_per_s=st.sampled_from([1e6, 1e9]),
)


def outcome(me, peer, mine, theirs):
    try:
        return settle(me, peer, mine, theirs)
    except UsageError as error:
        return str(error)


@given(some, some)
def test_both_sides_come_to_the_same(one, other):
    assert outcome(LISTENER, CALLER, one, other) == outcome(CALLER, LISTENER, other, one)


def test_an_explicit_protocol_beats_auto():
    named = msgspec.structs.replace(PLAIN, method="dh", wants=False)
    settled = settle(LISTENER, CALLER, PLAIN, named)
    assert settled.method == "dh"
    assert settled.receivers == (LISTENER,)


def test_larger_sets_and_less_memory_mean_more_partitions():
    settled = replace(settle(LISTENER, CALLER, PLAIN, PLAIN), method="dh")
    few = plan(settled, {LISTENER: 10**5, CALLER: 10**5})
    many = plan(settled, {LISTENER: 10**8, CALLER: 10**5})
    assert few.parts == 1
    assert few.bounds == few.sizes
    assert many.parts > 8
    assert many.bounds[LISTENER] > 10**8 / many.parts
    assert plan(replace(settled, least_parts=32), few.sizes).parts == 32
    with pytest.raises(UsageError, match="--memory"):
        plan(replace(settled, memory_bytes=1), few.sizes)
    with pytest.raises(UsageError, match="not secure"):
        plan(replace(settled, method="dh", mode=replace(settled.mode, security="malicious")), few.sizes)


@pytest.mark.parametrize(
    "wrong",
    [
        {"memory_bytes": 0}, {"parts": 0}, {"parts": 3}, {"parts": 1 << 20}, {"latency_s": math.nan},
        {"latency_s": -1.0}, {"bytes_per_s": 0.0}, {"bytes_per_s": math.inf},
    ],
)  # fmt: skip
def test_impossible_terms_are_the_peers_fault(wrong):
    check_numbers(CALLER, PLAIN)
    with pytest.raises(RemoteProtocolError):
        check_numbers(CALLER, msgspec.structs.replace(PLAIN, **wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": -1},
        {"size": terms.MOST_IDS + 1},
        {"done": -1},
        {"run": b"x"},
        {"nonce": b""},
        {"commitment": b""},
    ],
)
def test_impossible_starts_are_the_peers_fault(wrong):
    start = Start(5, bytes(32), b"", 0, False, bytes(32))
    check_start(CALLER, start)
    with pytest.raises(RemoteProtocolError):
        check_start(CALLER, msgspec.structs.replace(start, **wrong))
