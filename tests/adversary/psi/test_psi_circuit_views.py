"""What each party of a hidden intersection sees and could do with it, and mutants that must be found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import UnseenError
from unseen.kernels import cuckoo, okvs
from unseen.link.memory import Parcel
from unseen.mpc import Engine
from unseen.ot.vole import VectorSide, VoleVector
from unseen.party import Disclosure, Door, Party
from unseen.psi import Mode, opprf, vole_oprf
from unseen.psi.protocols import circuit as module
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import lowest_bytes, objections, secret_arrays

TOLD = [Disclosure("result", "a test", ("a",), Door.REVEAL, times=100)]
ROWS = 1200
UNIVERSE = np.random.default_rng(4).integers(0, 256, (2 * ROWS, 32), np.uint8)
LEFT, RIGHT = (
    UNIVERSE[:ROWS],
    UNIVERSE[ROWS // 2 : ROWS // 2 + ROWS],
)  # a has the table; its last 600 are common
SIZES = {"a": ROWS, "b": ROWS}
every_engine = pytest.mark.parametrize("protocol", ["dealer2", "pair2"])


def go(
    protocol: str = "dealer2", left: np.ndarray = LEFT, right: np.ndarray = RIGHT, sizes: Any = SIZES
) -> tuple[Run[Any], np.ndarray]:
    """A run, and the programmed words that the table's holder met: (bins that are not empty, words)."""
    met: list[np.ndarray] = []
    names = ("a", "b", "helper") if protocol == "dealer2" else ("a", "b")
    whole = opprf.receive

    def listening(*arguments: Any, **options: Any) -> Any:
        met.append(whole(*arguments, **options))
        return met[-1]

    def body(party: Party) -> Any:
        engine = Engine(
            party, holders=("a", "b"), helper="helper" if len(names) > 2 else None, protocol=protocol
        )
        ids = {"a": left, "b": right}.get(party.name)
        values = {} if party.name != "b" else {"y": np.full(len(right), 5)}
        found = module.hidden(engine, ids, values, sizes=sizes, columns={"b": {"y": int}}, table="a")
        share = found.columns["b"]["y"].share[0]
        return found.rows, share, engine.reveal("result", found.member, to=("a",))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opprf, "receive", listening)
        outcome = simulate(body, names, disclosures=TOLD)
    return outcome, met[0].view(np.uint64) if met else np.zeros((0, 2), np.uint64)


def found(protocol: str = "dealer2") -> list[str]:
    """What the parties could do with their views, tried."""
    out: list[str] = []
    met: list[np.ndarray] = []
    for _ in range(2):
        outcome, words = go(protocol)
        assert not outcome.errors, outcome.errors
        met.append(words)
        for name in ("a", "b"):
            view = outcome.views[name]
            out += objections(secret_arrays(view) + lowest_bytes(view))
        # The table's holder looks at what came out of the OPPRF: where it met something, it must not see so.
        columns = [np.ascontiguousarray(column) for column in words.T]
        common = [np.ascontiguousarray(column[_common(outcome, words)]) for column in words.T]
        for kind, each in (("met", columns), ("common", common)):
            out += objections(
                [(f"{kind} word {place}", part.view(np.uint8)) for place, part in enumerate(each)]
            )
        if any(len(np.unique(column)) < len(column) for column in columns):
            out.append("the same word in two bins")
        out += _suspicions(outcome)
        rows, _, member = outcome.results["a"]
        if member[rows < 0].any() or member.sum() != ROWS // 2:
            out.append("a wrong result")
        shares = [outcome.results[name][1] for name in ("a", "b")]
        out += objections([(f"share {place}", share.view(np.uint8)) for place, share in enumerate(shares)])
    if set(met[0].reshape(-1).tolist()) & set(met[1].reshape(-1).tolist()):
        out.append("the same word in two runs")
    return out


def _common(outcome: Run[Any], words: np.ndarray) -> np.ndarray:
    rows, _, _ = outcome.results["a"]
    filled = rows[rows >= 0]
    assert len(filled) == len(words)
    return filled >= ROWS // 2


def _suspicions(outcome: Run[Any]) -> list[str]:
    """The sender decodes what it was sent at ids and places that it suspects."""
    seed = next(s.message.seed for s in outcome.views["b"] if isinstance(s.message, module.TableSeed))
    sent = next(s.message for s in outcome.views["b"] if isinstance(s.message, vole_oprf.Encoding))
    tweaks = module._tweaks(np.frombuffer(seed, np.uint8))
    shape, salt = vole_oprf.shape_of(ROWS, Mode()), np.frombuffer(sent.seed, np.uint8)
    for tweak in tweaks:
        keys = vole_oprf.keys_of(LEFT) ^ tweak
        if (okvs.decode(shape, salt, sent.slots, keys) == okvs.hash_to_field(salt, keys)).all(axis=1).any():
            return ["whoever suspects an id can test it"]
    return []


@every_engine
def test_nothing_shows(protocol: str) -> None:
    assert found(protocol) == []


def test_the_helper_receives_nothing_but_signatures() -> None:
    outcome, _ = go()
    assert {type(s.message).__name__ for s in outcome.views["helper"]} <= {"SignedHead"}


def test_an_id_has_three_inputs_that_change_with_the_seed() -> None:
    """With one input for all three places the table's holder could look up bins in which its id does not lie."""
    first, second = (module._tweaks(np.full(16, fill, np.uint8)) for fill in (1, 2))
    assert len({tweak.tobytes() for tweak in (*first, *second)}) == 2 * cuckoo.PLACES
    outcome, _ = go(left=LEFT[:3], right=RIGHT[:3], sizes={"a": 3, "b": 3})
    assert not outcome.errors


def test_every_place_of_an_id_is_an_input_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_tweaks", lambda _seed: np.zeros((3, 16), np.uint8))
    outcome, _ = go()
    assert outcome.errors  # a store takes no key twice


def test_as_many_bits_are_compared_as_are_due() -> None:
    for size, bits in ((1, 47), (600, 50), (1 << 20, 61), (12_000_000, 64)):
        sizes, kinds = {"a": size, "b": 1}, {"a": {}, "b": {}}
        plan = module._Plan("a", ("b",), sizes, kinds, apart=False, mode=Mode())
        assert plan.compared == bits
        assert cuckoo.bins(size) <= 1 << (bits - 40)


def _one_target(party: Party, plan: Any, sender: str) -> Any:
    drawn = party.rng.u64((plan.bins, plan.words(sender)))
    drawn[:, 0] = drawn[0, 0]
    return drawn


def _no_noise(_party: Party, plan: Any, sender: str) -> Any:
    return np.zeros((plan.bins, plan.words(sender)), np.uint64)


def _fixed_noise(_party: Party, plan: Any, sender: str) -> Any:
    return np.random.default_rng(1).integers(0, 1 << 63, (plan.bins, plan.words(sender))).astype(np.uint64)


def _in_clear(drawn: Any, places: Any, columns: Any) -> Any:
    values = drawn[places]
    values[:, :, 1 : 1 + columns.shape[1]] = columns[:, None]
    return values


MUTANTS: dict[str, tuple[str, Callable[..., Any], str]] = {
    "one target for all bins": ("_noise", _one_target, "the same word in two bins"),
    "no noise": ("_noise", _no_noise, "a wrong result"),
    "noise that both could know": ("_noise", _fixed_noise, "the same word in two runs"),
    "a payload without a mask": ("_values", _in_clear, "common word 1"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutants_are_found(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, code, sign = MUTANTS[mutant]
    monkeypatch.setattr(module, name, code)
    assert any(sign in text for text in found())


def test_mutant_spare_bytes_that_are_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two columns leave half a block: were it zero, the table's holder would see there which of its ids are common."""
    whole = module._values

    def zeros(drawn: Any, places: Any, columns: Any) -> Any:
        values = whole(drawn, places, columns)
        values[:, :, 1 + columns.shape[1] :] = 0
        return values

    def spare() -> bool:
        met: list[np.ndarray] = []
        receive = opprf.receive

        def listening(*arguments: Any, **options: Any) -> Any:
            met.append(receive(*arguments, **options))
            return met[-1]

        def body(party: Party) -> Any:
            engine = Engine(party, holders=("a", "b"), protocol="pair2")
            ids = {"a": LEFT, "b": RIGHT}[party.name]
            return module.hidden(engine, ids, None, sizes=SIZES, table="a").rows

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(opprf, "receive", listening)
            assert not simulate(body, ("a", "b")).errors
        return bool((met[0].view(np.uint64)[:, 1] == 0).any())

    assert not spare()
    monkeypatch.setattr(module, "_values", zeros)
    assert spare()


def test_mutant_too_few_bits_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module._Plan, "compared", property(lambda _plan: 5))
    assert "a wrong result" in found()


def test_mutant_a_store_without_its_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = VectorSide.expand

    def bare(side: VectorSide, count: int) -> VoleVector:
        made = whole(side, count)
        return VoleVector(np.zeros_like(made.a), made.c)

    monkeypatch.setattr(VectorSide, "expand", bare)
    assert "whoever suspects an id can test it" in found()


@every_engine
def test_a_changed_byte_ends_in_an_error_of_ours_or_in_a_result(protocol: str) -> None:
    """The protocol is for parties that follow it: a liar can spoil the result, but nothing breaks or hangs."""
    left, right, sizes = LEFT[-4:], RIGHT[ROWS // 2 - 2 : ROWS // 2 + 2], {"a": 4, "b": 4}
    names = ("a", "b", "helper") if protocol == "dealer2" else ("a", "b")

    def body(party: Party) -> Any:
        engine = Engine(
            party, holders=("a", "b"), helper="helper" if len(names) > 2 else None, protocol=protocol
        )
        ids = {"a": left, "b": right}.get(party.name)
        found = module.hidden(engine, ids, None, sizes=sizes, table="a")
        return engine.reveal("result", found.member.sum(), to=("a",))

    def play(nth: int, at: float) -> tuple[Run[Any], int]:
        count = 0

        def wire(parcel: Parcel) -> bytes:
            nonlocal count
            data = bytearray(parcel.payload)
            if count == nth:
                data[int(at * (len(data) - 1))] ^= 0x10
            count += 1
            return bytes(data)

        return simulate(body, names, disclosures=TOLD, wire=wire, timeout_s=5), count

    honest, messages = play(-1, 0)
    assert honest.results["a"] == 2
    for nth in range(0, messages, 7):
        for at in (0.0, 0.5, 1.0):
            outcome, _ = play(nth, at)
            for error in outcome.errors.values():
                assert isinstance(error, UnseenError), (nth, at, error)


# ---------------------------------------------------------------------- more senders than one

WAY = np.repeat(np.arange(1, 8), 400)  # who has an id: one bit a holder
EVERYBODY = np.random.default_rng(6).integers(0, 256, (len(WAY), 32), np.uint8)


def three(protocol: str = "replicated3") -> list[str]:
    """What the table's holder could do with what it gets from two senders; what anybody sees."""
    names = ("a", "b", "c")
    held = {name: EVERYBODY[WAY >> place & 1 == 1] for place, name in enumerate(names)}
    met: dict[str, np.ndarray] = {}
    whole = opprf.receive

    def listening(party: Party, peer: str, *arguments: Any, **options: Any) -> Any:
        met[peer] = whole(party, peer, *arguments, **options)
        return met[peer]

    def body(party: Party) -> Any:
        helper = "helper" if protocol == "dealer" else None
        engine = Engine(party, holders=names, helper=helper, protocol=protocol)
        sizes = {name: len(rows) for name, rows in held.items()}
        hidden = module.hidden(engine, held.get(party.name), None, sizes=sizes, table="a")
        return hidden.rows, engine.reveal("result", hidden.member, to=("a",))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opprf, "receive", listening)
        outcome = simulate(
            body, (*names, "helper") if protocol == "dealer" else names, disclosures=TOLD, timeout_s=60
        )
    assert not outcome.errors, outcome.errors
    out = [text for name in names for text in objections(secret_arrays(outcome.views[name]))]
    rows, member = outcome.results["a"]
    way = WAY[WAY & 1 == 1][rows[rows >= 0]]
    if (member[rows >= 0] != (way == 7)).any() or member[rows < 0].any():
        out.append("a wrong result")
    words = {name: found.view(np.uint64)[:, 0].copy() for name, found in met.items()}
    for some in (way == 3, way == 5, way == 7):
        out += objections([(f"met of {name}", word[some].view(np.uint8)) for name, word in words.items()])
        both = words["b"][some] ^ words["c"][some]
        out += objections([("met of both", both.view(np.uint8))])
    if set(words["b"].tolist()) & set(words["c"].tolist()):
        out.append("the table's holder sees what two senders have in common")
    return out


@pytest.mark.parametrize("protocol", ["replicated3", pytest.param("dealer", marks=pytest.mark.long)])
def test_nothing_shows_among_three(protocol: str) -> None:
    assert three(protocol) == []


def test_mutant_senders_with_the_same_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_noise", _fixed_noise)
    assert any("two senders" in text for text in three())
