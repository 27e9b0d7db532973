"""What the two holders see in an intersection by vector OLE, what a liar can do, and mutants that must be found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import UnseenError
from unseen.kernels import okvs
from unseen.link.memory import Parcel
from unseen.ot.vole import DeltaSide, VectorSide, VoleDelta, VoleVector
from unseen.party import Disclosure, Door
from unseen.psi import Mode, intersect, vole_oprf
from unseen.psi.protocols import vole
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import objections, secret_arrays

TOLD = [Disclosure("intersection", "common rows", ("a", "b"), Door.RELEASE)]
HONEST, MALICIOUS, COMPACT = Mode(), Mode(security="malicious"), Mode(compact=True)
every_mode = pytest.mark.parametrize(
    "mode", [HONEST, MALICIOUS, COMPACT], ids=["honest", "malicious", "compact"]
)


def ids(first: int, count: int) -> np.ndarray:
    rows = [np.random.default_rng(first + i).integers(0, 256, 32, np.uint8) for i in range(count)]
    return np.array(rows, np.uint8).reshape(-1, 32)


LEFT, RIGHT = ids(0, 600), ids(550, 600)  # 50 in common: the last of a, the first of b; a evaluates


def go(mode: Mode = HONEST, left: np.ndarray = LEFT, right: np.ndarray = RIGHT, **options: Any) -> Run[Any]:
    sets = {"a": left, "b": right}
    return simulate(
        lambda party: intersect(
            party, sets[party.name], holders=("a", "b"), to=("a", "b"), method="vole", mode=mode
        ),
        ("a", "b"),
        disclosures=TOLD,
        **options,
    )


def encoding(outcome: Run[Any]) -> vole_oprf.Encoding:
    return next(s.message for s in outcome.views["b"] if isinstance(s.message, vole_oprf.Encoding))


def leaks(mode: Mode = HONEST) -> list[str]:
    """What a holder could do with its view, tried."""
    found = []
    first, second = go(mode), go(mode)
    for outcome in (first, second):
        found += objections(secret_arrays(outcome.views["a"])) + objections(secret_arrays(outcome.views["b"]))
    one, two = encoding(first), encoding(second)
    if np.array_equal(one.slots, two.slots) or one.seed == two.seed:
        found.append("the same store in two runs")
    # The key holder decodes what it was sent at ids it suspects: an unmasked store answers with H(id).
    shape = vole_oprf.shape_of(len(LEFT), mode)
    seed = np.frombuffer(one.seed, np.uint8)
    slots = np.pad(one.slots, ((0, 0), (0, 16 - one.slots.shape[1])))
    keys = vole_oprf.keys_of(LEFT)
    if np.array_equal(
        okvs.decode(shape, seed, slots, keys), okvs.hash_to_field(seed, keys, field=shape.field)
    ):
        found.append("whoever suspects an id can test it")
    # Tags of ids that are not common must be noise to the evaluator, fresh in every run.
    tags = [
        {row.tobytes() for row in vole._decoded(s.message.coded.value, len(RIGHT), width, "b")}
        for outcome in (first, second)
        for s in outcome.views["a"]
        if isinstance(s.message, vole.CodedTags)
        for width in [vole.tag_bytes({"a": len(LEFT), "b": len(RIGHT)}, mode)]
    ]
    if tags[0] & tags[1]:
        found.append("the same tag in two runs")
    return found


@every_mode
def test_nothing_shows(mode: Mode) -> None:
    assert leaks(mode) == []


def test_what_is_sent_does_not_depend_on_what_is_not_common() -> None:
    """Two inputs with the same declared output: messages, shapes and counts are the same, lengths up to the tags' code."""
    other = ids(5000, 550)
    runs = [go(), go(left=np.concatenate([other, LEFT[550:]]))]
    shapes = []
    for outcome in runs:
        assert outcome.results["b"].size == 50
        shapes.append([type(s.message).__name__ for party in "ab" for s in outcome.views[party]])
    assert shapes[0] == shapes[1]
    assert abs(runs[0].bytes_sent - runs[1].bytes_sent) < 32


def test_stores_look_uniform_over_many_runs() -> None:
    slots = [encoding(go(left=LEFT[-3:], right=RIGHT[46:50])).slots.reshape(-1) for _ in range(200)]
    assert objections([("Encoding.slots", np.concatenate(slots))]) == []


def test_mutant_no_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = VectorSide.expand

    def bare(side: VectorSide, count: int) -> VoleVector:
        made = whole(side, count)
        return VoleVector(np.zeros_like(made.a), made.c)

    monkeypatch.setattr(VectorSide, "expand", bare)
    assert "whoever suspects an id can test it" in leaks()


ONE = np.array([1] + [0] * 15, np.uint8)


def test_mutant_a_delta_that_everybody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delta = 1 as from a careless dealer: the evaluator computes the tags of ids that it did not put in."""
    assert not _guessable()
    dealer = np.random.default_rng(5).integers(0, 256, (2, 5000, 16), np.uint8)
    monkeypatch.setattr(
        VectorSide, "expand", lambda _side, count: VoleVector(dealer[0, :count], dealer[1, :count])
    )
    monkeypatch.setattr(
        DeltaSide,
        "expand",
        lambda _side, count: VoleDelta(ONE, dealer[0, :count] ^ dealer[1, :count]),
    )
    assert _guessable()


def _guessable() -> bool:
    """Whether the evaluator can compute the tag of an id that it did not put in, if it takes Delta for 1."""
    seen: list[VoleVector] = []
    whole = VectorSide.expand

    def listening(side: VectorSide, count: int) -> VoleVector:
        seen.append(whole(side, count))
        return seen[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VectorSide, "expand", listening)
        outcome = go()
    sent = encoding(outcome)
    shape, seed = vole_oprf.shape_of(len(LEFT), HONEST), np.frombuffer(sent.seed, np.uint8)
    outside = RIGHT[50:]
    keys = vole_oprf.keys_of(outside)
    off = okvs.decode(shape, seed, sent.slots ^ seen[0].a, keys) ^ okvs.hash_to_field(seed, keys)
    guess = vole_oprf._finish(okvs.decode(shape, seed, seen[0].c, keys) ^ off, outside, b"")
    width = vole.tag_bytes({"a": len(LEFT), "b": len(RIGHT)}, HONEST)
    coded = next(s.message.coded.value for s in outcome.views["a"] if isinstance(s.message, vole.CodedTags))
    told = {row.tobytes() for row in vole._decoded(coded, len(RIGHT), width, "b")}
    return any(row[:width].tobytes() in told for row in guess)


def test_mutant_one_seed_for_all_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed = np.zeros(16, np.uint8)
    monkeypatch.setattr(vole_oprf, "_draw", lambda _party: (fixed, fixed))
    assert "the same store in two runs" in leaks()


HARMLESS = {
    # Another store is the store of another set: ids whose slots were changed are no longer in the evaluator's set.
    "psi-vole.encoding",
    # Other tags are the tags of other ids: common ids whose tags were changed are no longer in the key holder's set.
    "psi-vole.tags",
    # The evaluator tells the key holder which tags were met, and is believed (stated in the protocol's page).
    "psi-vole.met",
}
# A changed byte that the other side's secret choices do not read: a guess, right half of the time, that changes nothing
# (see unseen.ot.trees).
GUESSES = {"ot-trees.sums"}


def test_a_liar_is_stopped_or_has_another_set() -> None:
    """Every message of a malicious run, a byte in many places: an error before any result, or a result for another input."""
    small_left, small_right = LEFT[560:], RIGHT[:40]  # 40 and 40, 30 in common

    def play(nth: int, at: float) -> tuple[Run[Any], str]:
        seen = {"count": -1, "tag": ""}

        def wire(parcel: Parcel) -> bytes:
            seen["count"] += 1
            data = bytearray(parcel.payload)
            if seen["count"] == nth:
                seen["tag"] = (
                    bytes(data[4:80]).split(b"/", 1)[0].decode("latin1").lstrip("\x90\x91\x92\x93\x94\x95")
                )
                data[int(at * (len(data) - 1))] ^= 0x10
            return bytes(data)

        return go(MALICIOUS, small_left, small_right, wire=wire, timeout_s=5), str(seen["tag"])

    honest: list[str] = []

    def count(parcel: Parcel) -> bytes:
        honest.append(parcel.sender)
        return parcel.payload

    assert not go(MALICIOUS, small_left, small_right, wire=count).errors
    truth = {row.tobytes() for row in small_left} & {row.tobytes() for row in small_right}
    for nth in range(len(honest)):
        for at in (0.0, 0.3, 0.62, 1.0):
            outcome, tag = play(nth, at)
            for error in outcome.errors.values():
                assert isinstance(error, UnseenError), (nth, at, tag)
            if outcome.errors:
                continue
            got = {small_left[row].tobytes() for row in outcome.results["a"].rows}
            if any(name in tag for name in GUESSES):
                assert got == truth
                continue
            assert any(name in tag for name in HARMLESS), (nth, at, tag)
            assert got <= truth
