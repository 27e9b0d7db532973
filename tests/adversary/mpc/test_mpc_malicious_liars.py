"""A party of the malicious protocol that deviates: what it changes ends in an error before any release, or is another input.

Of the second kind are the shares of the liar's own input, if it goes on with what it sent: that is the share of some value.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

import numpy as np
import pytest
from malicious_lies import LIES, NUMBER, hop_liar, plus, product, result_of
from malicious_run import (
    PARTIES,
    Flip,
    Replay,
    engine_of,
    everything,
    expected,
    found_out,
    go,
    off_by,
    wires_of,
)

from unseen.core.errors import LocalProtocolError, UnavailableError, UnseenError, VerificationError
from unseen.link.memory import Parcel
from unseen.mpc.protocols.replicated3_malicious import gates
from unseen.mpc.protocols.replicated3_malicious.wires import CheckedWires, Digest, Opened
from unseen.party import Party
from unseen.testing.simulate import Run

MESSAGES = 170  # of each party in `everything`, at least


def released(run: Run[Any]) -> Any:
    return run.results.get("a")


def flipped(sender: str, nth: int, place: int = -1, bit: int = 0) -> tuple[Run[Any], Flip]:
    wire = Flip(sender, nth, place, bit)
    return go(everything, wire=wire, timeout_s=10), wire


def judge(run: Run[Any], wire: Flip) -> None:
    """Nothing but the result is released, or nothing, and all end in order."""
    assert all(isinstance(error, UnseenError) for error in run.errors.values()), run.errors
    if released(run) is None:
        assert run.errors
    else:
        np.testing.assert_allclose(released(run), expected(), rtol=1e-3)
        # Padding of three bits, or a's own: it hears of no objection before it has what is for it.
        assert (wire.sender, wire.nth) == ("c", 6) or wire.sender == "a"
    assert not [
        error for error in run.errors.values() if getattr(error, "party", None) not in (None, *PARTIES)
    ]


def test_honest_parties_get_the_result() -> None:
    run, wire = flipped("a", -1)
    assert not run.errors
    np.testing.assert_allclose(released(run), expected(), rtol=1e-3)
    assert wire.count >= MESSAGES


@pytest.mark.parametrize("sender", PARTIES)
@pytest.mark.parametrize("nth", [*range(0, 12, 2), *range(13, MESSAGES, 17)])
def test_a_flipped_bit_of_any_message(sender: str, nth: int) -> None:
    judge(*flipped(sender, nth, -1, 7 if nth % 2 else 0))


@pytest.mark.parametrize("sender", PARTIES)
@pytest.mark.parametrize("nth", [0, 5, 11, 23, 36, 58, 77])
def test_a_message_that_is_said_again(sender: str, nth: int) -> None:
    """Shares, openings and digests of before, where others are due: none is taken for another."""
    wire = Replay(sender, nth)
    run = go(everything, wire=wire, timeout_s=10)
    assert wire.count > nth
    assert all(isinstance(error, UnseenError) for error in run.errors.values()), run.errors
    assert run.errors
    assert released(run) is None


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("sender", PARTIES)
def test_a_flipped_bit_of_every_message(sender: str) -> None:
    _, wire = flipped(sender, -1)
    for nth in range(wire.count):
        for place in (-1, 0, 9, -25):
            judge(*flipped(sender, nth, place, 7))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_party_that_errs_at_random() -> None:
    """Any error in any products, by any party that goes on with it: found out, whatever it was."""
    rng = np.random.default_rng(7)
    for _ in range(300):
        liar = PARTIES[rng.integers(3)]
        errors = {
            int(place): plus(np.uint64(1) << np.uint64(rng.integers(64)), int(rng.integers(-1, 1)))
            for place in rng.choice(60, rng.integers(1, 4), replace=False)
        }

        def program(party: Party, liar: str = liar, errors: dict[int, Any] = errors) -> Any:
            return everything(
                party, start=lambda engine: off_by(engine, errors) if party.name == liar else None
            )

        run = go(program, liar=liar, timeout_s=10)
        assert found_out(run, liar), (liar, errors)


@pytest.mark.parametrize("consistent", [True, False])
def test_a_changed_share_of_an_input_is_another_input(consistent: bool) -> None:
    """Whoever sends another share and goes on with it has put in another value; who does not go on with it is found out."""

    def program(party: Party) -> Any:
        engine = engine_of(party)
        if party.name == "c":
            wires = wires_of(engine)
            plain = wires.send
            wires.send = lambda place, values: plain(place, plus(np.uint64(1 << 20))(values))  # type: ignore[method-assign]
        y = engine.share(np.full(2, 2.0) if party.name == "c" else None, owner="c", shape=(2,))
        if party.name == "c":
            wires.send = plain  # type: ignore[method-assign]
            y.share[0, 0] += np.uint64(consistent << 20)
        return engine.reveal("result", y * y, to=("a",))

    run = go(program, liar="c", timeout_s=10)
    if consistent:
        np.testing.assert_allclose(run.results["a"], [9.0, 4.0], atol=1e-5)
    else:
        assert found_out(run, "c")


# ---------------------------------------------------------------- every kind of lie, by a party that runs other code


@pytest.mark.parametrize("liar", PARTIES)
@pytest.mark.parametrize("name", LIES)
def test_a_lie_ends_the_computation(name: str, liar: str) -> None:
    make, errors = LIES[name]
    run = go(lambda party: result_of(party, make, liar=liar, errors=errors), liar=liar, timeout_s=10)
    assert found_out(run, liar)
    for error in run.errors.values():
        if isinstance(error, VerificationError) and "for the cause" not in str(
            error
        ):  # or it heard of it first
            assert "One of the others deviated" in str(error)
            assert error.party is None


@pytest.mark.parametrize("at", range(4))
def test_a_lie_in_any_batch(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "BATCH", 3)
    errors = {0: plus(NUMBER, at)}
    assert found_out(
        go(lambda party: result_of(party, product, liar="c", errors=errors), liar="c", timeout_s=10), "c"
    )


@pytest.mark.parametrize("octets", [False, True])
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize(("liar", "hop"), [("a", 0), ("b", 0), ("b", 1), ("c", 1), ("c", 2), ("a", 2)])
def test_a_changed_row_of_a_hop(liar: str, hop: int, columns: bool, octets: bool) -> None:
    run = go(
        lambda party: hop_liar(party, liar=liar, hop=hop, columns=columns, octets=octets),
        liar=liar,
        timeout_s=10,
    )
    assert found_out(run, liar)


def test_two_versions_of_a_part_are_refused() -> None:
    """A giver of a reveal changes its part: the receiver gets each component from two."""
    counts = Flip("b", -1)
    go(everything, wire=counts)
    run = go(everything, wire=Flip("b", counts.count - 1), liar="b")
    assert isinstance(run.errors["a"], VerificationError)
    assert "two versions" in str(run.errors["a"])
    assert not released(run)


def test_after_a_failed_check_the_protocol_refuses_everything() -> None:
    kept: dict[str, Any] = {}

    def program(party: Party) -> Any:
        engine = engine_of(party)
        x = engine.share(np.ones(4) if party.name == "a" else None, owner="a", shape=(4,))
        kept[party.name] = (engine, x)
        if party.name == "c":
            off_by(engine, {0: plus(np.uint64(1))})
        return engine.reveal("result", product(engine, x, x), to=("a",))

    go(program, timeout_s=10)
    engine, x = kept["a"]
    for use in (
        lambda: engine.protocol.multiply(x.share, x.share),
        lambda: engine.share(np.ones(2), owner="a", shape=(2,)),
        lambda: engine.reveal("result", x, to=("a",)),
        engine.protocol.verify,
    ):
        with pytest.raises(LocalProtocolError, match="has ended"):
            use()


def test_who_finds_a_check_failed_ends_by_itself() -> None:
    """And not only because its links are closed: a key that serves on after a failed check was another engine's bug."""
    kept: dict[str, Any] = {}

    def program(party: Party) -> None:
        engine = engine_of(party)
        kept[party.name] = engine.protocol
        with pytest.raises(VerificationError, match="One of the others deviated"):
            wires_of(engine).same("state", party.name.encode())
        with pytest.raises(LocalProtocolError, match="has ended"):
            wires_of(engine).open(np.ones((2, 4), np.uint64))

    sent: list[bytes] = []

    def wire(parcel: Parcel) -> bytes:
        sent.append(parcel.payload)
        return parcel.payload

    assert not go(program, wire=wire, timeout_s=10).errors
    assert not [payload for payload in sent if np.ones(4, np.uint64).tobytes() in payload]
    for protocol in kept.values():
        with pytest.raises(LocalProtocolError, match="has ended"):
            protocol.multiply(*[np.ones((2, 4), np.uint64)] * 2)


def test_nothing_is_opened_before_what_it_was_made_of_is_checked() -> None:
    """Places and comparisons after a shuffle are results, too: with a wrong product in them they would tell of others."""

    def program(party: Party) -> Any:
        engine = engine_of(party)
        x = engine.share(np.arange(4.0) if party.name == "a" else None, owner="a", shape=(4,))
        if party.name == "b":
            off_by(engine, {0: plus(np.uint64(1))})
        engine.protocol.open_shuffled(product(engine, x, x).share)

    run = go(program, liar="b", timeout_s=10)
    assert found_out(run, "b")
    assert not [seen for view in run.views.values() for seen in view if isinstance(seen.message, Opened)]


# ---------------------------------------------------------------- what a failed check tells


def test_a_failed_check_tells_the_liar_what_it_knew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digests that it gets when its product is found wrong are those that it can make itself, error and shares known."""
    error, own, counts, told = np.uint64(77), [], [], []
    honest_zero, honest_compare = CheckedWires.zero, CheckedWires._compare

    def zero(self: CheckedWires, share: Any, *, xor: bool = False) -> None:
        if self.party.name == "b":
            own.append(share.reshape(2, -1).copy())
        honest_zero(self, share, xor=xor)

    def compare(self: CheckedWires, label: str, mine: bytes, before: bytes, after: bytes) -> None:
        if self.party.name == "b" and label == "results of products":  # it listens first
            counts.append(mine[:8])
            told.extend(self.party.recv(name, Digest).digest.tobytes() for name in ("a", "c"))
            raise UnavailableError("b has heard enough.")
        honest_compare(self, label, mine, before, after)

    monkeypatch.setattr(CheckedWires, "zero", zero)
    monkeypatch.setattr(CheckedWires, "_compare", compare)
    run = go(
        lambda party: result_of(party, product, liar="b", errors={0: plus(error)}), liar="b", timeout_s=10
    )
    assert found_out(run, "b")
    for part in own[
        1:
    ]:  # the first claim is the reveal's; the others are of each triple in the buckets of the products
        part[:, 0] -= error

    def digest(component: int) -> bytes:
        inner = hashlib.sha256(b"".join(part[component].tobytes() for part in own)).digest()
        text = b"unseen/mpc/replicated3-malicious/v1\nresults of products\n"
        return hashlib.sha256(text + counts[0] + inner).digest()

    assert told == [digest(1), digest(0)]


def test_whoever_was_told_a_wrong_component_computes_nothing_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last that it says is what it saw: a digest of sums made with a wrong opening would tell of the secrets in them."""
    assert _compared_by_the_victim(monkeypatch)[-1] == "opened values"


def test_mutant_that_compares_what_was_opened_later(monkeypatch: pytest.MonkeyPatch) -> None:
    honest, late = CheckedWires.same, []

    def same(self: CheckedWires, label: str, data: bytes) -> None:
        if label == "opened values" and self.party.name == "a":
            late.append(data)
            self._compare("nothing", b"", b"", b"")
        elif label == "opened values":
            self._compare("nothing", b"", b"", b"")
        else:
            honest(self, label, data)

    monkeypatch.setattr(CheckedWires, "same", same)
    assert _compared_by_the_victim(monkeypatch)[-1] == "results of products"
    assert late


def _compared_by_the_victim(patch: pytest.MonkeyPatch) -> list[str]:
    """Labels of what a compares, when c sends it a wrong component of the last number that checks a product."""
    labels: list[str] = []
    honest = CheckedWires._compare

    def compare(self: CheckedWires, label: str, mine: bytes, before: bytes, after: bytes) -> None:
        if self.party.name == "a":
            labels.append(label)
        honest(self, label, mine, before, after)

    def program(party: Party) -> Any:
        engine = engine_of(party)
        x = engine.share(np.arange(4.0) if party.name == "a" else None, owner="a", shape=(4,))
        z = product(engine, x, x)
        if party.name == "c":
            wires = wires_of(engine)
            give = wires._give

            def lie(place: int, message: Any) -> None:
                wrong = hasattr(message, "values") and message.values.size > 100 and place == wires.place + 1
                give(place, type(message)(plus(np.uint64(1), -1)(message.values)) if wrong else message)

            wires._give = lie  # type: ignore[method-assign]
        return engine.reveal("result", z, to=("a",))

    patch.setattr(CheckedWires, "_compare", compare)
    assert found_out(go(program, liar="c", timeout_s=10), "c")
    return labels


def test_no_coin_is_shown_before_all_have_what_came_before() -> None:
    """The last hop of a shuffle is between c and a. While a waits for c, b must not show c the coin that checks it."""
    assert _shown_early() == 0


def test_a_coin_without_that_is_shown_early(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = CheckedWires.same
    monkeypatch.setattr(
        CheckedWires,
        "same",
        lambda self, label, data: self.use() if label == "state" else honest(self, label, data),
    )
    assert _shown_early() > 0


def _shown_early() -> int:
    """How many components b has sent to c too early: while the moved columns of the last hop are on their way from c to a."""
    seen = {"large": 0, "to c": 0, "early": 0}

    def program(party: Party) -> Any:
        engine = engine_of(party)
        x = engine.share(np.arange(4.0) if party.name == "a" else None, owner="a", shape=(4,))
        engine.protocol.shuffle(x.share[..., None])

    def wire(parcel: Parcel) -> bytes:
        way = parcel.sender + parcel.receiver if b"piece" in parcel.payload[:40] else ""
        if way == "ca" and len(parcel.payload) > 4 * 40 * 8:
            seen["large"] += 1
            if seen["large"] == 3:  # after two openings, of the hops before
                time.sleep(0.3)
                seen["early"] = seen["to c"]
        seen["to c"] += way == "bc"
        return parcel.payload

    run = go(program, wire=wire, timeout_s=10)
    assert not run.errors
    assert seen["large"] == 4
    return (
        seen["early"] - 7
    )  # the key for rounding; coin and opening of two hops; rows and columns of the one with c
