"""Owners who share something else than they committed to, and what the others see of an honest one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unseen.core import registry
from unseen.core.errors import UnseenError, UsageError, VerificationError
from unseen.crypto import short
from unseen.mpc import Engine, binding
from unseen.mpc.binding import Commitment, Sums
from unseen.mpc.coin import CoinPart
from unseen.mpc.engine import PROTOCOLS
from unseen.mpc.fixed import FRACTION_BITS
from unseen.mpc.protocols.replicated3.sharing import Replicated3
from unseen.party import Disclosure, Door, Party, Session
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import objections, secret_arrays

NAMES = [name for name in registry.names(PROTOCOLS) if name != "plain"]
TOLD = Disclosure("result", "the result of a test", ("b",), Door.REVEAL)
VALUES = np.array([3.0, -1.0, 0.5, 2.0])
OWNER = "a"


@contextmanager
def patched(place: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(place, name)
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, before)


def parties_of(protocol: str) -> tuple[tuple[str, ...], str | None]:
    statement = registry.load(PROTOCOLS, protocol).STATEMENT
    return ("a", "b", "c")[: statement.holders.start], "helper" if statement.helper else None


def go(protocol: str, committed: Commitment, lie: Callable[[Engine], None] | None = None) -> Run[Any]:
    """The owner runs the honest program on VALUES; `lie` changes its engine first."""
    holders, helper = parties_of(protocol)

    def program(party: Party) -> Any:
        engine = Engine(party, holders=holders, helper=helper, protocol=protocol)
        mine = party.name == OWNER
        if mine and lie:
            lie(engine)
        values, blind = (VALUES, committed.blind) if mine else (None, None)
        return binding.committed_share(
            engine, values, committed.element, owner=OWNER, shape=VALUES.shape, blind=blind
        )

    return simulate(program, (*holders, *((helper,) if helper else ())), disclosures=[TOLD])


def sharing(change: dict[int, int], call: int = 1) -> Callable[[Engine], None]:
    """Share the numbers plus what `change` says, place by place; in the first call (numbers) or the second (masks)."""

    def lie(engine: Engine) -> None:
        honest, calls = engine.protocol.share, [0]

        def share(values: Any, *, owner: str, shape: tuple[int, ...]) -> Any:
            calls[0] += 1
            if values is not None and calls[0] == call:
                values = values.copy()
                for place, by in change.items():
                    values[place] = np.uint64((int(values[place]) + by) % (1 << 64))
            return honest(values, owner=owner, shape=shape)

        engine.protocol.share = share

    return lie


def caught(run: Run[Any]) -> bool:
    """The others, each of them, found out, and nobody has a result."""
    others = [name for name in run.views if name not in (OWNER, "helper")]
    return all(isinstance(run.errors.get(name), UnseenError) for name in others) and any(
        isinstance(error, VerificationError) for error in run.errors.values()
    )


LIES = {
    "one unit more": sharing({2: 1}),
    "the top bit of one": sharing({1: 1 << 63}),
    "a number more here and less there": sharing({0: 1 << 20, 1: (1 << 64) - (1 << 20)}),
    "another mask": sharing({5: 1}, call=2),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("protocol", NAMES)
def test_whoever_shares_something_else_is_caught(protocol: str, lie: str) -> None:
    assert caught(go(protocol, binding.commit(VALUES), LIES[lie]))


@pytest.mark.parametrize("protocol", NAMES)
def test_a_commitment_to_something_else_cannot_be_used(protocol: str) -> None:
    """Nor by an owner that does not look at what it does."""
    other = binding.commit(VALUES + 1)
    assert go(protocol, other).errors
    with patched(binding.pedersen, "check_vector", lambda *_, **__: None):
        assert caught(go(protocol, other))


def test_one_row_would_not_do() -> None:
    """The mutant: with a single sum the top bit of a number goes unnoticed every other time."""
    with patched(short, "SUMS", 1):
        outcomes = {
            caught(go("replicated3", binding.commit(VALUES), LIES["the top bit of one"])) for _ in range(20)
        }
    assert outcomes == {True, False}


# ---------------------------------------------------------------- an owner that deviates at will


def mending(committed: Commitment, protocol: str) -> Run[Any]:
    """The owner shares one unit more and takes the difference away again wherever it has a word in the opening."""
    rows: list[Any] = []

    def lie(engine: Engine) -> None:
        sharing({2: 1})(engine)
        open_masked = engine.protocol.open_masked

        def mended(values: Any, *, owner: str) -> Any:
            values = values.copy()
            values[0] -= rows[-1][:, 2].astype(np.uint64)
            return open_masked(values, owner=owner)

        engine.protocol.open_masked = mended

    draw = binding.Transcript.draw_bits

    def noted(self: Any, name: str, count: int, columns: int) -> Any:
        rows.append(draw(self, name, count, columns))
        return rows[-1]

    with patched(binding.Transcript, "draw_bits", noted):
        return go(protocol, committed, lie)


@pytest.mark.parametrize("protocol", ["replicated3", "replicated3-malicious"])
def test_three_parties_need_not_take_the_owners_word(protocol: str) -> None:
    assert mending(binding.commit(VALUES), protocol).errors


def test_two_parties_have_to() -> None:
    """What the page says is not covered: additive shares bind nobody."""
    assert not mending(binding.commit(VALUES), "dealer2").errors


def test_a_copy_that_asks_the_owner_is_noticed() -> None:
    """The mutant: `replicated3` opening so that each party gets what it lacks from the one before."""

    def around(self: Replicated3, values: Any, *, owner: str) -> Any:
        first, second = (np.ascontiguousarray(part) for part in values)
        self.wires.send(self.place + 1, first)
        opened = first + second + self.wires.recv(self.place - 1, first.shape)
        return None if self.party.name == owner else opened

    with patched(Replicated3, "open_masked", around):
        run = mending(binding.commit(VALUES), "replicated3")
    assert "b" not in run.errors  # the party that gets its missing component from the owner is fooled


# ---------------------------------------------------------------- a proof from elsewhere


@pytest.mark.parametrize("protocol", NAMES)
def test_the_owner_has_no_part_in_the_coin(protocol: str) -> None:
    """Whoever chose which sums are looked at could share numbers whose sums come out right."""
    run = go(protocol, binding.commit(VALUES))
    coins = [seen for view in run.views.values() for seen in view if isinstance(seen.message, CoinPart)]
    assert coins
    assert OWNER not in {seen.sender for seen in coins}


def test_proofs_are_for_one_session_and_one_coin() -> None:
    """The owner's last message of an earlier run, shown again."""
    committed = binding.commit(VALUES)
    first = go("replicated3", committed)
    (old,) = [seen.message for seen in first.views["b"] if isinstance(seen.message, Sums)]

    def lie(engine: Engine) -> None:
        party = engine.protocol.party
        send = party.send
        party.send = lambda peer, message: send(peer, old if isinstance(message, Sums) else message)

    assert caught(go("replicated3", committed, lie))


def test_what_is_looked_at_goes_by_session_owner_commitments_and_coin() -> None:
    """Each of them alone makes other sums be asked for."""
    usual: dict[str, Any] = {
        "session": Session("job", "task", 1),
        "owner": "a",
        "pair": (bytes(32), bytes(32)),
    }
    usual |= {"shape": (4,), "bits": 20, "coin": bytes(32)}
    others: dict[str, Any] = {"owner": "b", "shape": (2, 2), "bits": 19, "coin": b"c" * 32}
    changes = [{name: value} for name, value in others.items()]
    changes += [
        {"session": Session(*one)} for one in (("job", "task", 2), ("job", "other", 1), ("other", "task", 1))
    ]
    changes += [{"pair": pair} for pair in ((b"c" * 32, bytes(32)), (bytes(32), b"c" * 32))]

    def rows(**of: Any) -> bytes:
        party = SimpleNamespace(session=of.pop("session"))
        made = binding._transcript(party, **of)  # type: ignore[arg-type]  # all that it asks of a party
        return made.draw_bits("rows", short.SUMS, 4).tobytes()

    drawn = [rows(**usual), *(rows(**(usual | change)) for change in changes)]
    assert rows(**usual) == drawn[0]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("place", [0, 31, 32, 100, 700])
def test_a_changed_byte_is_noticed(place: int) -> None:
    def lie(engine: Engine) -> None:
        party = engine.protocol.party
        send = party.send

        def changed(peer: str, message: Any) -> None:
            if isinstance(message, Sums):
                proof = bytearray(message.proof)
                proof[place % len(proof)] ^= 1
                message = Sums(message.sums, bytes(proof))
            send(peer, message)

        party.send = changed

    assert caught(go("dealer2", binding.commit(VALUES), lie))


# ---------------------------------------------------------------- what the others see


def seen_of(protocol: str) -> list[str]:
    found = []
    runs = [go(protocol, binding.commit(VALUES)) for _ in range(12)]
    assert not any(run.errors for run in runs)
    for name in runs[0].views:
        together: dict[str, list[np.ndarray]] = {}
        for run in runs:
            for field, data in secret_arrays(run.views[name]):
                together.setdefault(field, []).append(data)
        found += objections([(field, np.concatenate(parts)) for field, parts in together.items()])
    return found


@pytest.mark.parametrize("protocol", NAMES)
def test_views_are_uniform(protocol: str) -> None:
    assert seen_of(protocol) == []


def test_narrow_masks_are_noticed() -> None:
    """The mutant: masks of 64 bits, as if the ring were all there is."""
    commit_masks = short.commit_masks

    def narrow(count: int) -> Any:
        masks, _ = commit_masks(count)
        masks = short.Masks(tuple(value % (1 << 64) for value in masks.values), masks.blind)
        return masks, short.pedersen.commit_vector([*[0] * count, *masks.values], masks.blind)

    with patched(short, "commit_masks", narrow):
        assert seen_of("dealer2") != []


@pytest.mark.parametrize("lie", ["longer", "another proof", "a changed byte"])
def test_who_brings_more_than_agreed_is_caught(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner's own check is gone; or it shows a proof about another vector, or of another session."""
    values = np.array([3.0, 4.0])
    made = binding.commit(values)
    others = binding.commit(values / 2)

    def forged(statement: Any, numbers: Any, blind: int, transcript: Any) -> bytes:
        if lie == "another proof":
            return honest(
                replace(statement, commitment=others.element),
                [n // 2 for n in numbers],
                others.blind,
                transcript,
            )
        if lie == "longer":
            return honest(replace(statement, bound=statement.bound * 4), numbers, blind, transcript)
        proof = bytearray(honest(replace(statement), list(numbers), blind, transcript))
        proof[700] ^= 1
        return bytes(proof)

    honest = binding.norm.prove
    monkeypatch.setattr(binding.norm, "prove", forged)

    def body(party: Party) -> None:
        mine = party.name == "a"
        binding.prove_length(
            party,
            values if mine else None,
            made.element,
            holders=("a", "b"),
            owner="a",
            count=2,
            longest=5.0 if lie == "a changed byte" else 4.0,
            blind=made.blind if mine else None,
        )

    errors = simulate(body, ("a", "b")).errors
    assert isinstance(errors["b"], VerificationError)
    assert errors["b"].party == "a"


def test_who_is_as_long_as_agreed_is_not_refused_for_rounding() -> None:
    """Scaled columns have length sqrt(n d) to the last digit; half of all holders were refused at that."""
    values = np.full((4, 2), 1 - 0.49 * 2.0**-FRACTION_BITS)  # each is rounded up
    made = binding.commit(values)

    def body(party: Party) -> None:
        mine = party.name == "a"
        binding.prove_length(
            party,
            values if mine else None,
            made.element,
            holders=("a", "b"),
            owner="a",
            count=values.size,
            longest=float(np.linalg.norm(values)),
            blind=made.blind if mine else None,
        )

    assert not simulate(body, ("a", "b")).errors


def prove_bounds(values: np.ndarray, element: bytes, blind: int, within: float) -> Run[None]:
    def body(party: Party) -> None:
        mine = party.name == "a"
        binding.prove_bounds(
            party,
            values if mine else None,
            element,
            holders=("a", "b"),
            owner="a",
            count=values.size,
            within=within,
            blind=blind if mine else None,
        )

    return simulate(body, ("a", "b"))


def test_who_brings_no_number_beyond_the_bounds_is_taken_and_others_cannot_prove_it() -> None:
    values = np.array([[-4.0, 3.999], [0.0, 1.5]])
    made = binding.commit(values)
    assert not prove_bounds(values, made.element, made.blind, 4.0).errors
    with pytest.raises(UsageError, match="Number 1 of 4"):
        raise prove_bounds(values, made.element, made.blind, 2.0).errors["a"]


@pytest.mark.parametrize("lie", ["wider", "another vector", "a changed byte"])
def test_who_brings_a_number_beyond_the_bounds_is_caught(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.array([3.0, 4.0])
    made = binding.commit(values)
    others = binding.commit(values / 4)

    def forged(statement: Any, numbers: Any, blind: int, transcript: Any) -> bytes:
        if lie == "wider":
            return honest(
                replace(statement, low=4 * statement.low, bits=statement.bits + 2), numbers, blind, transcript
            )
        smaller = replace(statement, commitment=others.element)
        proof = bytearray(honest(smaller, [number // 4 for number in numbers], others.blind, transcript))
        proof[-1] ^= lie == "a changed byte"
        return bytes(proof)

    honest = binding.bounds.prove
    monkeypatch.setattr(binding.bounds, "prove", forged)
    errors = prove_bounds(values, made.element, made.blind, 2.0).errors
    assert isinstance(errors["b"], VerificationError)
    assert errors["b"].party == "a"


@pytest.mark.parametrize(
    ("count", "agreed"),
    [
        (65_537, {"longest": 9.0}),
        (65_537, {"within": 8.0}),
        (9, {"within": 3.0}),
        (9, {"within": 2.0**27}),
        (9, {"within": -1.0}),
    ],
)
def test_what_cannot_be_proved_is_refused_before_anything_is_shared(count: int, agreed: Any) -> None:
    with pytest.raises(UsageError, match="There is no proof"):
        binding.check_proofs(count, **agreed)
