"""Unbalanced intersection, and look-ups in a prepared set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import DeniedError, UsageError, VerificationError
from unseen.crypto import oprf as prf
from unseen.crypto.oprf import OprfMode
from unseen.party import Disclosure, Door, Party
from unseen.psi import Mode, intersect
from unseen.psi.protocols import oprf
from unseen.psi.table import Table, prepare
from unseen.testing.simulate import Run, run, simulate

BOTH = ("a", "b")
TOLD = [Disclosure("intersection", "common rows", BOTH, Door.RELEASE)]
LOOKED_UP = [Disclosure("lookup", "which ids are in the set", ("client",), Door.RELEASE, times=10)]
KEY = prf.derive_key(bytes(32), b"test", OprfMode.VOPRF)


def ids(numbers: Any) -> np.ndarray:
    numbers = list(numbers)
    out = np.zeros((len(numbers), 32), np.uint8)
    out[:, :8] = np.array(numbers, np.uint64).reshape(-1, 1).view(np.uint8)
    return out


@pytest.mark.parametrize("sizes", [(0, 0), (0, 9), (3, 0), (5, 300), (129, 64), (200, 200)])
@pytest.mark.parametrize("compact", [False, True])
def test_pieces_and_skew(monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int], compact: bool) -> None:
    monkeypatch.setattr(oprf, "_PIECE", 64)
    sets = {"a": ids(range(sizes[0])), "b": ids(range(sizes[0] // 2, sizes[0] // 2 + sizes[1]))}
    outcome = run(
        lambda party: intersect(
            party,
            sets[party.name],
            holders=BOTH,
            to=BOTH,
            method="oprf",
            mode=Mode(compact=compact),
            allow_empty=True,
        ),
        BOTH,
        disclosures=TOLD,
        pool_workers=2,
    )
    found = {name: sets[name][outcome.results[name].rows] for name in BOTH}
    np.testing.assert_array_equal(found["a"], found["b"])
    expected = {row.tobytes() for row in sets["a"]} & {row.tobytes() for row in sets["b"]}
    assert {row.tobytes() for row in found["a"]} == expected
    assert len(found["a"]) == len(expected)


def test_the_smaller_set_asks() -> None:
    sets = {"a": ids(range(300)), "b": ids(range(4))}
    outcome = run(
        lambda party: intersect(party, sets[party.name], holders=BOTH, to=BOTH, method="oprf"),
        BOTH,
        disclosures=TOLD,
    )
    asked = [seen.message for seen in outcome.views["a"] if isinstance(seen.message, oprf.Blinded)]
    assert [len(message.elements) for message in asked] == [4]
    assert outcome.bytes_sent < 300 * 16 + 4 * 64 + 1500


# ---------------------------------------------------------------- prepared sets


def labels(count: int) -> list[bytes]:
    return [f"label {index}".encode() for index in range(count)]


def look_up(table: Table, asked: np.ndarray, *, most: int = 100, **options: Any) -> Run[Any]:
    def program(party: Party) -> Any:
        if party.name == "server":
            return oprf.serve(party, "client", table, KEY, most=most)
        return oprf.query(party, "server", asked, **options)

    return simulate(program, ("client", "server"), disclosures=LOOKED_UP, timeout_s=5)


@pytest.mark.parametrize("mode", list(OprfMode))
@pytest.mark.parametrize("count", [1, 2, 70])
def test_labels_of_what_is_there(monkeypatch: pytest.MonkeyPatch, mode: OprfMode, count: int) -> None:
    monkeypatch.setattr(oprf, "_PIECE", 32)
    monkeypatch.setattr(oprf, "_TABLE_PIECE", 1000)
    table = prepare(KEY, ids(range(50)), labels(50), mode=mode, version=1, size=80)
    outcome = look_up(table, ids(range(45, 45 + count)))
    assert not outcome.errors
    assert outcome.results["client"].labels == (labels(50)[45:] + [None] * 70)[:count]
    assert outcome.results["server"] == count


def test_a_kept_table_is_not_sent_again() -> None:
    table = prepare(KEY, ids(range(50)), labels(50), version=1)
    first = look_up(table, ids([7])).results["client"]
    again = look_up(table, ids([8]), have=first.table)
    assert again.results["client"].labels == [b"label 8"]
    assert again.results["client"].table is first.table
    assert again.stats["server"]["client"].bytes_sent < 600
    newer = prepare(KEY, ids(range(5)), labels(5), version=2)
    updated = look_up(newer, ids([8]), have=first.table).results["client"]
    assert updated.labels == [None]
    assert updated.table.version == 2


def test_an_older_table_is_refused() -> None:
    newer = prepare(KEY, ids(range(5)), version=2)
    for version in (1, 2):
        other = prepare(KEY, ids(range(6)), version=version)
        outcome = look_up(other, ids([1]), have=newer)
        assert isinstance(outcome.errors["client"], VerificationError)


def test_the_number_of_look_ups_is_hidden_and_bounded() -> None:
    table = prepare(KEY, ids(range(50)), version=1)
    for count in (1, 9):
        outcome = look_up(table, ids(range(count)), size=10)
        assert outcome.results["client"].labels == [b""] * count
        seen = [item.message for item in outcome.views["server"]]
        assert [message.elements for message in seen if isinstance(message, oprf.Request)] == [10]
    outcome = look_up(table, ids(range(9)), most=8)
    assert isinstance(outcome.errors["server"], DeniedError)
    assert not any(isinstance(item.message, oprf.Offer) for item in outcome.views["client"])
    for wrong, size in ((ids([]), None), (ids([1, 2]), 1)):
        assert isinstance(look_up(table, wrong, size=size).errors["client"], UsageError)


def test_the_gate_decides() -> None:
    table = prepare(KEY, ids(range(5)), version=1)

    def program(party: Party) -> Any:
        if party.name == "server":
            return oprf.serve(party, "client", table, KEY, most=9)
        return oprf.query(party, "server", ids([1]))

    outcome = simulate(program, ("client", "server"), timeout_s=5)
    assert isinstance(outcome.errors["server"], DeniedError)
    assert not any(isinstance(item.message, oprf.Answer) for item in outcome.views["client"])


def test_a_public_key_known_beforehand() -> None:
    table = prepare(KEY, ids(range(5)), version=1)
    assert look_up(table, ids([1]), public=prf.public_key(KEY)).results["client"].labels == [b""]
    other = prf.public_key(prf.derive_key(bytes(32), b"other", OprfMode.VOPRF))
    assert isinstance(look_up(table, ids([1]), public=other).errors["client"], VerificationError)
    unproved = prepare(KEY, ids(range(5)), version=1, mode=OprfMode.OPRF)
    outcome = look_up(unproved, ids([1]), public=prf.public_key(KEY))
    assert isinstance(outcome.errors["client"], VerificationError)
