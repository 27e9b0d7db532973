"""What a holder sees of the other's ids, tampering, and mutants that these tests must find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import RemoteProtocolError, UnseenError
from unseen.crypto import group
from unseen.crypto.prg import Prg
from unseen.link.memory import Parcel
from unseen.party import Disclosure, Door
from unseen.psi import intersect
from unseen.psi.protocols import dh
from unseen.testing.simulate import Run, simulate

TOLD = [Disclosure("intersection", "common rows", ("a", "b"), Door.RELEASE)]


def ids(numbers: Any) -> np.ndarray:
    out = np.zeros((len(numbers), 32), np.uint8)
    out[:, :8] = np.array(list(numbers), np.uint64).reshape(-1, 1).view(np.uint8)
    return out


def go(left: np.ndarray, right: np.ndarray, **options: Any) -> Run[Any]:
    sets = {"a": left, "b": right}
    return simulate(
        lambda party: intersect(party, sets[party.name], holders=("a", "b"), to=("a", "b"), method="dh"),
        ("a", "b"),
        disclosures=TOLD,
        **options,
    )


def sent_to(run: Run[Any], receiver: str) -> np.ndarray:
    return next(s.message.elements for s in run.views[receiver] if isinstance(s.message, dh.MaskedIds))


def leaks() -> list[str]:
    """Run twice on the same sets and look for what must not show."""
    x, y = ids(range(200)), ids(range(150, 350))
    one, other = go(x, y), go(x, y)
    found = []
    first, second = sent_to(one, "b"), sent_to(other, "b")
    if {row.tobytes() for row in first} & {row.tobytes() for row in second}:
        found.append("the same masked id in two runs")
    plain = {row.tobytes() for row in dh._hashed(_NoPool(), x)}
    if plain & {row.tobytes() for row in first}:
        found.append("an id that anybody can compute")
    if _order_shows(one, x):
        found.append("the order of the list is that of the table")
    return found


class _NoPool:
    """As much of a Party as hashing needs."""

    class pool:  # noqa: N801
        @staticmethod
        def map(work: Any, items: Any) -> list[Any]:
            return [work(item) for item in items]


def _order_shows(run: Run[Any], x: np.ndarray) -> bool:
    """Whether the common ids stand in the first list in the order of the table."""
    told = next(s.message.elements.value for s in run.views["a"] if isinstance(s.message, dh.DoublyMasked))
    common = {row.tobytes() for row in told}
    theirs = next(s.message.elements.value for s in run.views["b"] if isinstance(s.message, dh.DoublyMasked))
    places = [index for index, row in enumerate(told) if row.tobytes() in {r.tobytes() for r in theirs}]
    return bool(common) and places == list(range(150, 200))


def test_nothing_shows() -> None:
    assert leaks() == []


def test_result_order_does_not_depend_on_the_tables() -> None:
    x, y = ids(range(100)), ids(range(100))
    orders = {tuple(go(x, y).results["a"].rows) for _ in range(4)}
    assert len(orders) == 4
    assert tuple(range(100)) not in orders


def test_mutant_one_exponent_for_all_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "scalar_random", lambda: (7).to_bytes(32, "little"))
    assert "the same masked id in two runs" in leaks()


def test_mutant_exponent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "scalar_random", lambda: (1).to_bytes(32, "little"))
    assert "an id that anybody can compute" in leaks()


def test_mutant_no_shuffle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Prg, "permutation", lambda _self, count: np.arange(count))
    assert "the order of the list is that of the table" in leaks()


@pytest.mark.parametrize("nth", range(6))
@pytest.mark.parametrize("place", [3, 40, -1])
def test_a_tampered_message_ends_in_an_error_or_changes_nothing_else(nth: int, place: int) -> None:
    count = {"seen": 0}

    def wire(parcel: Parcel) -> bytes:
        data = bytearray(parcel.payload)
        if count["seen"] == nth:
            data[min(place, len(data) - 1)] ^= 0x80
        count["seen"] += 1
        return bytes(data)

    outcome = go(ids(range(20)), ids(range(10, 30)), wire=wire, timeout_s=5)
    assert all(isinstance(error, UnseenError) for error in outcome.errors.values())


@pytest.mark.parametrize("bad", [np.zeros(32, np.uint8), np.full(32, 255, np.uint8)])
def test_what_is_no_element_is_refused_with_the_senders_name(bad: np.ndarray) -> None:
    good = group.from_uniform(np.random.default_rng(0).integers(0, 256, (3, 64), np.uint8))
    good[1] = bad
    with pytest.raises(RemoteProtocolError, match="mallory"):
        group.scalar_mult(group.scalar_random(), good, sender="mallory")


def test_the_same_masked_id_twice_is_refused() -> None:
    rows = group.from_uniform(np.random.default_rng(0).integers(0, 256, (3, 64), np.uint8))
    with pytest.raises(RemoteProtocolError, match="twice"):
        dh._common(rows, rows[[0, 0, 1]], "mallory")
