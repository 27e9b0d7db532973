"""Trees under additive encryption: what may be read off ciphertexts, changed bytes, answers that cannot be, mutants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import RemoteProtocolError, UnseenError
from unseen.crypto.additive import PublicKey, fixed_base
from unseen.crypto.prg import Prg
from unseen.kernels import montgomery
from unseen.learn.vertical.trees import federated, plain
from unseen.learn.vertical.trees.federated import Grown, leader
from unseen.learn.vertical.trees.federated.adder import Adder
from unseen.learn.vertical.trees.federated.exchange import (
    Chosen,
    Columns,
    Derivatives,
    Key,
    Members,
    Sums,
    Ways,
)
from unseen.learn.vertical.trees.model import Settings
from unseen.learn.vertical.trees.packing import Packing, quantised
from unseen.party import Disclosure, Door, Party
from unseen.party.messages import decode, encode, kinds
from unseen.testing.mutants import mutants
from unseen.testing.simulate import Run, simulate

HOLDERS = ("a", "b")
NAMES = (
    federated.BINS,
    federated.SUMS,
    federated.WAYS,
    federated.MEMBERS,
    federated.SPLITS,
    federated.STOP,
)
TOLD = [Disclosure(name, name, HOLDERS, Door.RELEASE, times=10_000) for name in NAMES]
ROWS, BINS = 40, 4
SETTINGS = Settings(rounds=1, depth=2, min_child_weight=0.0)
RNG = np.random.default_rng(4)
CODES = RNG.integers(0, BINS, (4, ROWS)).astype(np.uint8)
LABELS = ((CODES[0] + 2 * CODES[2] + CODES[3]) > 6).astype(float)


@pytest.fixture(scope="module", autouse=True)
def one_key() -> Iterator[None]:
    """The same key in all tests, and small tables: making them takes longer than the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixed_base, "TABLE_BYTES", 1 << 20)  # large ones take long to make
        with pytest.warns(UserWarning, match="112 bits"):
            key = federated.generate("ou", 2048)
        patch.setattr(federated, "generate", lambda _scheme, _bits: key)
        yield


def program(party: Party, settings: Settings = SETTINGS) -> Grown:
    mine = slice(0, 2) if party.name == "a" else slice(2, 4)
    return federated.fit(
        party,
        CODES[mine],
        [BINS, BINS],
        LABELS if party.name == "a" else None,
        settings,
        holders=HOLDERS,
        label_holder="a",
        key_bits=2048,
    )


def go(**options: Any) -> Run[Grown]:
    return simulate(program, HOLDERS, disclosures=TOLD, timeout_s=20, **options)


def of_kind(run: Run[Grown], receiver: str, kind: type[Any]) -> list[Any]:
    return [seen.message for seen in run.views[receiver] if isinstance(seen.message, kind)]


# ---------------------------------------------------------------------- what may be read off ciphertexts


def sums_and_products(run: Run[Grown], tree: int = 0) -> tuple[PublicKey, Any, Any]:
    """The key, the sums of all rows that the label holder gets, and what they would be without exponents of their own."""
    key = PublicKey.from_bytes(of_kind(run, "b", Key)[0].key, sender="a")
    rows = key.from_wire(of_kind(run, "b", Derivatives)[tree].rows, sender="a")
    packing = Packing.of(ROWS, key)
    parts, counts = [], [0]
    for codes in CODES[2:]:
        most = np.bincount(codes).argmax()
        for code in range(BINS + 1):
            if code != most:
                parts.append(np.flatnonzero(codes == code))
                counts.append(len(parts[-1]))
    order, starts = np.concatenate(parts), np.cumsum(counts)
    due = key.to_wire(key.packed(key.sums(rows, order, starts), packing.slots, packing.slot))
    return key, of_kind(run, "a", Sums)[tree * SETTINGS.depth].packed.value, due


def what_products_tell(run: Run[Grown]) -> list[str]:
    """What the label holder reads without its key: sums that are the products of the rows' ciphertexts, as it made them."""
    _, got, due = sums_and_products(run)
    return [f"ciphertext {place}" for place in np.flatnonzero((got == due).all(axis=1))]


def rows_that_are_equal(run: Run[Grown]) -> int:
    rows = of_kind(run, "b", Derivatives)[0].rows
    return len(rows) - len(np.unique(rows, axis=0))


def test_who_made_the_summands_does_not_know_the_sums_again() -> None:
    run = go()
    assert not run.errors
    assert what_products_tell(run) == []
    assert rows_that_are_equal(run) == 0  # although most derivatives are
    words = [row.tobytes() for message in of_kind(run, "a", Sums) for row in message.packed.value]
    assert len({*words}) == len(words)


@pytest.mark.parametrize("mutant", mutants("trees-federated"), ids=lambda mutant: mutant.name)
def test_mutants_are_found(mutant: Any) -> None:
    with mutant.applied():
        run = go()
    assert not run.errors  # the trees are right all the same
    assert what_products_tell(run) or rows_that_are_equal(run)


def what_comes_again(run: Run[Grown]) -> tuple[int, int]:
    """Of two trees from the same derivatives: rows whose ciphertexts come again, and sums whose new exponents do.

    The label holder made the rows, so it can take their product out of a sum: what is left is what makes it another one.
    """
    rows = np.concatenate([message.rows for message in of_kind(run, "b", Derivatives)[:2]])
    left = []
    for tree in range(2):
        key, *both = sums_and_products(run, tree)
        n = key.modulus.value
        got, due = (
            [int.from_bytes(row.astype("<u8").tobytes(), "little") for row in words] for words in both
        )
        left += [one * pow(other, -1, n) % n for one, other in zip(got, due, strict=True)]
    return len(rows) - len(np.unique(rows, axis=0)), len(left) - len({*left})


def two_trees() -> Run[Grown]:
    """From derivatives that are the same, rounded alike."""
    settings = replace(SETTINGS, rounds=2, learning_rate=1e-300)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leader, "quantised", lambda pair, _rng: quantised(pair, Prg(bytes(32))))
        run = simulate(lambda party: program(party, settings), HOLDERS, disclosures=TOLD, timeout_s=20)
    assert not run.errors
    return run


def test_no_exponent_serves_two_trees() -> None:
    """The quotient of two ciphertexts of a row would show whether its derivatives changed, that of two sums which rows are in them."""
    assert what_comes_again(two_trees()) == (0, 0)


@pytest.mark.parametrize(("drawn", "place"), [("draw_short", 0), ("draw_full", 1)])
def test_mutant_exponents_that_serve_every_tree_are_found(
    drawn: str, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = getattr(PublicKey, drawn)
    monkeypatch.setattr(PublicKey, drawn, lambda key, _rng, count: honest(key, Prg(bytes(32)), count))
    assert what_comes_again(two_trees())[place] > 0


def test_sums_are_spread_evenly() -> None:
    """Returned ciphertexts of one number are uniform as far as a chi-square sees: 300 times the lowest word's bits."""
    public = federated.generate("ou", 2048).public
    rng = Prg.fresh()
    one = public.encrypt(montgomery.to_words([5], 1), public.draw_short(rng, 1), message_bits=8)
    many = public.to_wire(public.rerandomise(np.repeat(one, 300, axis=0), public.draw_full(rng, 300)))
    bits = np.unpackbits(np.ascontiguousarray(many[:, :16]).view(np.uint8), axis=1)
    squares = ((bits.mean(axis=0) - 0.5) ** 2 * 4 * len(bits)).sum()
    degrees = bits.shape[1]
    assert abs(squares - degrees) < 6 * (2 * degrees) ** 0.5


def test_the_others_get_nothing_in_clear_but_where_rows_are() -> None:
    run = go()
    fields = {
        (type(seen.message).__name__, field): kind
        for seen in run.views["b"]
        for field, kind in kinds(type(seen.message)).items()
    }
    assert fields == {
        ("Key", "key"): "public",
        ("Derivatives", "rows"): "ciphertext",
        ("Derivatives", "trees"): "released",
        ("Chosen", "splits"): "released",
        ("Ways", "left"): "released",
    }


# ---------------------------------------------------------------------- changed messages


def changing(kind: type[Any], sender: str, change: Callable[[Any], Any]) -> Callable[[Any], bytes | None]:
    """A wire on which the first message of that kind is another one."""
    done = []

    def wire(parcel: Any) -> bytes | None:
        if parcel.sender != sender or done:
            return parcel.payload
        try:
            message = decode(memoryview(parcel.payload), kind, sender=sender)
        except UnseenError:
            return parcel.payload
        changed = change(message)
        if changed is None:
            return parcel.payload
        done.append(parcel)
        return b"".join(bytes(part) for part in encode(changed))

    return wire


def released(message: Any, field: str, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    value = getattr(message, field)
    changed = change(value.value.copy())
    return type(message)(**{field: type(value)(changed, type(value)._maker)})


def words_of(number: int, width: int) -> np.ndarray:
    return montgomery.to_words([number], width)[0]


def first_row(row: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    def change(words: np.ndarray) -> np.ndarray:
        words[0] = row(words[0])
        return words

    return change


WRONG_ROWS = {
    "a byte": first_row(lambda row: row ^ np.uint64(1)),
    "zero": first_row(lambda row: row & np.uint64(0)),
    "not below n": first_row(lambda row: row | np.uint64((1 << 64) - 1)),
    "one too few": lambda words: words[1:],
    "one word more": lambda words: np.pad(words, ((0, 0), (0, 1))),
}


@pytest.mark.parametrize("wrong", WRONG_ROWS)
def test_changed_sums_end_training(wrong: str) -> None:
    run = go(wire=changing(Sums, "b", lambda message: released(message, "packed", WRONG_ROWS[wrong])))
    assert isinstance(run.errors["a"], RemoteProtocolError)
    assert run.errors["a"].party == "b"
    assert run.results == {}


@pytest.mark.parametrize(("field", "value"), [("ways", 2), ("left_out", -1), ("bins", 0)])
def test_columns_that_cannot_be_end_training(field: str, value: int) -> None:
    def change(message: Columns) -> Columns:
        told = getattr(message, field)
        fields = {name: getattr(message, name) for name in ("bins", "left_out", "ways")}
        return Columns(**{**fields, field: type(told)(np.full(2, value), type(told)._maker)})

    run = go(wire=changing(Columns, "b", change))
    assert isinstance(run.errors["a"], RemoteProtocolError)
    assert run.errors["a"].party == "b"


@pytest.mark.parametrize("wrong", WRONG_ROWS)
def test_changed_derivatives_end_training(wrong: str) -> None:
    def change(message: Derivatives) -> Derivatives:
        return Derivatives(WRONG_ROWS[wrong](message.rows.copy()), message.trees)

    run = go(wire=changing(Derivatives, "a", change))
    # a ciphertext of something else is noticed by who reads the sums
    assert any(isinstance(error, RemoteProtocolError) for error in run.errors.values())
    assert run.results == {}


@pytest.mark.parametrize(("row", "value"), [(0, 2), (0, -2), (1, BINS), (1, -2), (2, 2), (2, -1)], ids=str)
def test_splits_that_there_are_not(row: int, value: int) -> None:
    def change(message: Chosen) -> Chosen:
        def one(splits: np.ndarray) -> np.ndarray:
            splits[0, 0] = 0
            splits[row, 0] = value
            return splits

        return released(message, "splits", one)

    run = go(wire=changing(Chosen, "a", change))
    assert isinstance(run.errors["b"], RemoteProtocolError)
    assert "split that there is not" in str(run.errors["b"])


def test_answers_for_nodes_of_others() -> None:
    def change(message: Ways) -> Ways:
        return released(message, "left", lambda bits: ~bits)

    run = go(wire=changing(Ways, "b", change))
    # at the root this is another split of its own, or an answer for a's: either training goes on or a refuses
    assert "a" in run.errors or not run.errors
    if run.errors:
        assert "not its own" in str(run.errors["a"])


@pytest.mark.parametrize("kept", [-1, 2, 5])
def test_more_trees_than_were_grown(kept: int) -> None:
    def change(message: Derivatives) -> Derivatives | None:
        if len(message.rows):
            return None
        told = message.trees
        return Derivatives(message.rows, type(told)(kept, type(told)._maker))

    run = go(wire=changing(Derivatives, "a", change))
    assert isinstance(run.errors["b"], RemoteProtocolError)


def test_no_public_key() -> None:
    run = go(wire=changing(Key, "a", lambda message: Key(message.key[:-1] + b"\x00" * 2)))
    assert isinstance(run.errors["b"], RemoteProtocolError)


# ---------------------------------------------------------------------- mutants of the arithmetic: results must show them


def _narrow(packing: Packing) -> int:
    return 2 * packing.part - packing.part // 2


def _unsigned(packing: Packing, numbers: list[int], count: int) -> np.ndarray:
    whole, low = (1 << packing.slot) - 1, (1 << packing.part) - 1
    values = [number >> (packing.slot * k) & whole for number in numbers for k in range(packing.slots)]
    return np.array([(value >> packing.part, value & low) for value in values[:count]], np.int64).T


def _larger(where: Members) -> np.ndarray:
    due = HONEST_DUE(where)
    return due ^ 1 if len(where.alive) > 1 else due


HONEST_DUE = Members.due


def agrees(run: Run[Grown]) -> bool:
    if run.errors:
        return False
    due = plain.fit(CODES, [BINS] * 4, LABELS, SETTINGS)
    return bool(np.abs(run.results["a"].weights - due.weights).max() < 1e-5)


@pytest.mark.parametrize(
    ("owner", "name", "broken"),
    [
        (Packing, "slot", property(_narrow)),
        (Packing, "sums", _unsigned),
        (Packing, "offset", property(lambda _packing: 0)),
        (
            Adder,
            "_members",
            lambda adder, where, due: (np.zeros(0, np.int64), np.zeros(1 + 8 * len(due), np.int64)),
        ),
    ],
    ids=["slots overlap", "signs lost", "offset stays", "nothing is added"],
)
def test_mutants_of_the_arithmetic_are_found(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, broken: Any
) -> None:
    assert agrees(go())
    monkeypatch.setattr(owner, name, broken)
    assert not agrees(go())


def test_the_sibling_may_be_either_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a mutant: adding up the larger one gives the same trees, only later."""
    monkeypatch.setattr(Members, "due", _larger)
    assert agrees(go())


def test_settings_are_what_was_kept() -> None:
    run = go()
    assert run.results["b"].settings == replace(SETTINGS, rounds=1) == run.results["a"].settings
