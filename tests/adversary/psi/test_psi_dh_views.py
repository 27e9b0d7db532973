"""What a holder sees of the other's ids, and mutants that these tests must find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.crypto.prg import Prg
from unseen.kernels import curve
from unseen.kernels.reference import curve as reference
from unseen.party import Disclosure, Door, Party
from unseen.psi import intersect
from unseen.psi.protocol import Mode
from unseen.psi.protocols import dh
from unseen.testing.simulate import Run, run, simulate
from unseen.testing.views import deviation

TOLD = [Disclosure("intersection", "common rows", ("a", "b"), Door.RELEASE)]
P = reference.P
# a point of order 8
TORSION = 325606250916557431795983626356110631294008115727848805560023387167927233504


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


def messages(run: Run[Any], receiver: str, kind: Any) -> list[Any]:
    return [seen.message for seen in run.views[receiver] if isinstance(seen.message, kind)]


def sent_to(run: Run[Any], receiver: str) -> np.ndarray:
    return np.concatenate([message.points for message in messages(run, receiver, dh.MaskedIds)])


def as_set(rows: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in rows}


def leaks() -> list[str]:
    """Run twice on the same sets and look for what must not show."""
    x, y = ids(range(200)), ids(range(150, 350))
    one, other = go(x, y), go(x, y)
    found = []
    for receiver in ("a", "b"):
        first, second = sent_to(one, receiver), sent_to(other, receiver)
        if as_set(first) & as_set(second):
            found.append("the same masked id in two runs")
        plain = curve.hash_to_x(x if receiver == "b" else y, dh._DOMAIN)
        if as_set(plain) & as_set(first):
            found.append("an id that anybody can compute")
        if not curve.x_on_curve(first).all():
            found.append("which ids are of the twist")
    if list(one.results["b"].rows) == sorted(one.results["b"].rows):
        found.append("the order of the list is that of the table")
    seals = [message.tags for message in messages(one, "a", dh.SealedTags)]
    again = [message.tags for message in messages(other, "a", dh.SealedTags)]
    if any(_pads_repeat(left, right, run) for left, right, run in zip(seals, again, [one] * 9, strict=False)):
        found.append("the pad of the tags")
    if small_order_shows():
        found.append("the exponent modulo 8")
    return sorted(set(found))


def _pads_repeat(left: np.ndarray, right: np.ndarray, run: Run[Any]) -> bool:
    """Whether the sealed tags open under the pad of all zeros, or two runs' pads are the same."""
    return bool((left == right).all(axis=1).any())


def small_order_shows() -> bool:
    """A liar asks for P and for P plus a point of order 8: answers that differ tell the exponent modulo 8."""
    message = reference.hash_to_curve(b"any", b"any")
    torsion = (TORSION, reference._root_with_sign((TORSION**3 + reference.A * TORSION**2 + TORSION) % P, 0))
    moved = reference.add_affine(message, torsion)
    assert message is not None
    assert moved is not None
    asked = reference._rows([message[0], moved[0]])
    assert curve.x_on_curve(asked).all()
    answers = liar(asked)
    return answers[0].tobytes() != answers[1].tobytes()


def liar(points: np.ndarray) -> np.ndarray:
    """What b gets back for points of its choice when it alone is to have the result."""
    sizes = {"a": 3, "b": len(points)}

    def program(party: Party) -> np.ndarray | None:
        if party.name == "a":
            dh.intersect(party, ids(range(3)), sizes=sizes, to=("b",), mode=Mode())
            return None
        party.send("a", dh.MaskedIds(points))
        party.recv("a", dh.MaskedIds)
        tags = party.recv("a", dh.SealedTags).tags
        pad = Prg(party.recv("a", dh.TagSeed).seed.value)
        return tags ^ dh._pad(pad, *tags.shape)

    told: np.ndarray = run(program, ("a", "b"), disclosures=TOLD, timeout_s=10).results["b"]
    return told


def test_nothing_shows() -> None:
    assert leaks() == []


def test_what_is_seen_depends_on_the_sizes_alone() -> None:
    """Two pairs of sets of the same sizes and overlap: messages of the same kinds and shapes, bytes like noise."""
    one = go(ids(range(300)), ids(range(200, 500)))
    other = go(ids(range(10_000, 10_300)), ids(range(10_200, 10_500)))
    for receiver in ("a", "b"):
        kinds = [[type(seen.message) for seen in run.views[receiver]] for run in (one, other)]
        assert kinds[0] == kinds[1]
        for run_ in (one, other):
            points = sent_to(run_, receiver)
            assert points.shape == (300, 32)
            assert deviation(points[:, :31].reshape(-1)) < 6
    tags = np.concatenate([message.tags for message in messages(one, "a", dh.SealedTags)])
    assert tags.shape == (300, 16)
    assert deviation(tags.reshape(-1)) < 6


def test_masked_lists_are_uniform_over_many_runs() -> None:
    points = np.concatenate([sent_to(go(ids([7]), ids([7])), "b") for _ in range(200)])
    assert len(as_set(points)) == 200
    assert deviation(points[:, :31].reshape(-1)) < 6


def test_result_order_does_not_depend_on_the_tables() -> None:
    x, y = ids(range(100)), ids(range(100))
    orders = {tuple(go(x, y).results["a"].rows) for _ in range(4)}
    assert len(orders) == 4
    assert tuple(range(100)) not in orders


def test_places_of_common_rows_are_uniform() -> None:
    """Where b's one common id stands in b's list: as often in one half as in the other."""
    first = 0
    for _ in range(200):
        outcome = go(ids([3]), ids(range(8)))
        bits = messages(outcome, "b", dh.Common)[0].bits.value
        first += bool(bits[0] & 0x0F)
    assert 60 < first < 140


def test_mutant_one_exponent_for_all_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dh, "_exponent", lambda _party: np.full((1, 32), 7, np.uint8))
    assert "the same masked id in two runs" in leaks()


def test_mutant_exponent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curve, "x25519", lambda _scalar, points: points)
    assert "an id that anybody can compute" in leaks()


def test_mutant_no_shuffle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Prg, "permutation", lambda _self, count: np.arange(count))
    assert leaks() == ["the order of the list is that of the table"]


def test_mutant_ids_taken_as_x(monkeypatch: pytest.MonkeyPatch) -> None:
    """What others do: half of the ids are of the twist, and stay there under every exponent."""

    def as_x(rows: np.ndarray, _domain: bytes) -> np.ndarray:
        out = curve.sha512(rows)[:, :32].copy()
        out[:, 31] &= 127
        return out

    monkeypatch.setattr(curve, "hash_to_x", as_x)
    on_curve = curve.x_on_curve
    monkeypatch.setattr(dh.curve, "x_on_curve", lambda points: np.ones(len(points), np.bool_))
    outcome = go(ids(range(200)), ids(range(150, 350)))
    assert not on_curve(sent_to(outcome, "b")).all()


def test_mutant_without_the_cofactor(monkeypatch: pytest.MonkeyPatch) -> None:
    def unclamped(scalar: np.ndarray, points: np.ndarray) -> np.ndarray:
        factor = reference._numbers(scalar)[0] | 1
        return reference._rows([reference._ladder(factor, x) for x in reference._numbers(points)])

    monkeypatch.setattr(curve, "x25519", unclamped)
    assert small_order_shows()


def test_mutant_a_pad_that_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dh, "_pad", lambda _pad, rows, width: np.zeros((rows, width), np.uint8))
    monkeypatch.setattr(dh, "_exponent", lambda _party: np.full((1, 32), 7, np.uint8))
    monkeypatch.setattr(Prg, "permutation", lambda _self, count: np.arange(count))
    assert "the pad of the tags" in leaks()
