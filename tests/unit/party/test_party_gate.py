"""The gate: default deny at the giver; what passes is on disk first; a crash never reveals twice with other masks."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import (
    DeniedError,
    LocalProtocolError,
    RemoteProtocolError,
    UnavailableError,
    UnseenError,
    VerificationError,
)
from unseen.link.memory import Parcel, mesh
from unseen.party import Disclosure, DisclosurePolicy, Door, Gate, MemoryJournal, Party, Reveal, Session
from unseen.party.exchanged import Standing
from unseen.party.gate import Disclosed, StoredPart
from unseen.testing.simulate import run, simulate

SCORES = Disclosure("scores", "the scores", ("c",), Door.REVEAL, max_elements=4, times=2)
SIZE = Disclosure("size", "how many", ("b", "c"), Door.RELEASE)
SECRET = np.array([3, 1, 4, 1], np.uint64)


def gate(*told: Disclosure) -> Gate:
    return Gate("a", DisclosurePolicy("contract-1", "task-1", told), MemoryJournal())


def passes(made: Gate, **changes: Any) -> None:
    wanted: dict[str, Any] = {"index": 0, "to": ("c",), "elements": 4, **changes}
    door, name = wanted.pop("door", Door.REVEAL), wanted.pop("name", "scores")
    made.pass_through(door, name, **wanted)


def test_what_the_contract_lists_passes_and_is_recorded() -> None:
    made = gate(SCORES)
    passes(made)
    assert isinstance(made.journal, MemoryJournal)
    assert made.journal.entries == [Disclosed("task-1", "scores", 0, Door.REVEAL, ("c",), 4, 1)]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": "weights"}, "does not list it"),
        ({"door": Door.RELEASE}, "not as a release"),
        ({"to": ("b",)}, "to c only"),
        ({"to": ("b", "c")}, "to c only"),
        ({"elements": 5}, "allows 4 elements"),
        ({"index": 2}, "2 time(s)"),
    ],
)
def test_everything_else_is_held_back_with_its_clause(changes: dict[str, Any], why: str) -> None:
    made = gate(SCORES, SIZE)
    with pytest.raises(DeniedError, match="holds back") as caught:
        passes(made, **changes)
    assert caught.value.party == "a"
    assert "contract-1" in caught.value.clause
    assert why in caught.value.why
    assert isinstance(made.journal, MemoryJournal)
    assert made.journal.entries == []


def test_an_empty_policy_lets_nothing_pass() -> None:
    for door in Door:
        with pytest.raises(DeniedError):
            passes(gate(), door=door)


def test_a_release_counts_up_and_is_refused_beyond_its_times() -> None:
    made = gate(SIZE)
    assert made.release("size", 7, to=("b",), elements=1).value == 7
    with pytest.raises(DeniedError, match="holds back"):
        made.release("size", 8, to=("b",), elements=1)


class FullJournal(MemoryJournal):
    """A disk with no room."""

    def record(self, entry: Disclosed) -> None:
        raise UnavailableError("the disk is full")


def test_what_cannot_be_written_down_does_not_pass() -> None:
    made = Gate("a", DisclosurePolicy("c", "t", (SIZE,)), FullJournal())
    with pytest.raises(UnavailableError):
        made.release("size", 7, to=("b",), elements=1)


# ---------------------------------------------------------------------- reveals


def halves(seed: int) -> dict[str, np.ndarray]:
    mask = np.random.default_rng(seed).integers(0, 1 << 63, 4, np.uint64)
    return {"a": mask, "b": SECRET - mask}


def reveal(parts: dict[str, np.ndarray]) -> Any:
    def program(party: Party) -> Any:
        got = party.reveal("scores", parts.get(party.name), givers=("a", "b"), to=("c",), shape=SECRET.shape)
        return None if got is None else sum(got.values(), np.zeros(4, np.uint64))

    return program


def test_only_the_receiver_gets_the_parts() -> None:
    done = run(reveal(halves(1)), "abc", disclosures=[SCORES])
    assert np.array_equal(done.results["c"], SECRET)
    assert done.results["a"] is None
    for party in "ab":
        assert not any(type(seen.message).__name__ == "Part" for seen in done.views[party])
    assert [len(done.journals[name].entries) for name in "abc"] == [1, 1, 0]  # type: ignore[attr-defined]


def test_one_giver_that_does_not_agree_is_enough() -> None:
    nothing = DisclosurePolicy("test-contract", "test-task", ())
    done = simulate(reveal(halves(1)), "abc", disclosures=[SCORES], policies={"b": nothing}, timeout_s=5)
    assert isinstance(done.errors["b"], DeniedError)
    assert not any(type(seen.message).__name__ == "Part" and seen.sender == "b" for seen in done.views["c"])
    assert set(done.errors) == {"a", "b", "c"}


def test_a_later_attempt_sends_the_same_parts_again() -> None:
    """New masks in the second attempt: what goes out are the stored parts of the first."""
    first = run(reveal(halves(1)), "abc", disclosures=[SCORES])
    again = run(reveal(halves(2)), "abc", disclosures=[SCORES], journals=first.journals, attempt=2)
    assert np.array_equal(again.results["c"], SECRET)
    for giver in "ab":
        one, other = (
            next(
                seen.message.values
                for seen in made.views["c"]
                if type(seen.message).__name__ == "Part" and seen.sender == giver
            )
            for made in (first, again)
        )
        assert np.array_equal(one, other)


def stored(attempt: int, parts: np.ndarray, *, sent: bool) -> MemoryJournal:
    journal = MemoryJournal()
    journal.store_part("scores", 0, StoredPart(attempt, parts.tobytes(), sent))
    return journal


def test_a_crash_after_one_giver_stored_and_before_it_sent_takes_new_parts_of_all() -> None:
    journals = {"a": stored(1, halves(1)["a"], sent=False)}
    done = run(reveal(halves(2)), "abc", disclosures=[SCORES], journals=journals, attempt=2)
    assert np.array_equal(done.results["c"], SECRET)


@pytest.mark.parametrize("sent", [(True, False), (False, True), (True, True)])
def test_a_crash_between_two_sends_repeats_the_parts_of_that_attempt(sent: tuple[bool, bool]) -> None:
    old = halves(1)
    journals = {name: stored(1, old[name], sent=flag) for name, flag in zip("ab", sent, strict=True)}
    done = run(reveal(halves(2)), "abc", disclosures=[SCORES], journals=journals, attempt=2)
    assert np.array_equal(done.results["c"], SECRET)
    (part,) = [
        seen.message
        for seen in done.views["c"]
        if type(seen.message).__name__ == "Part" and seen.sender == "a"
    ]
    assert np.array_equal(part.values, old["a"])


def test_a_giver_that_forgot_what_another_had_sent_stops_the_reveal() -> None:
    """Else c would see the same secret under two masks, or two samples of its noise."""
    journals = {"a": stored(1, halves(1)["a"], sent=True)}
    done = simulate(reveal(halves(2)), "abc", disclosures=[SCORES], journals=journals, attempt=2, timeout_s=5)
    assert isinstance(done.errors["a"], RemoteProtocolError)
    assert "start a new run" in done.errors["a"].mend
    assert not any(type(seen.message).__name__ == "Part" for seen in done.views["c"])


def test_each_of_many_reveals_goes_by_what_is_stored_of_it() -> None:
    """A crash came after one of two values was sent: that one is sent again, the other one anew; in the rounds of one."""
    old, new = halves(1), halves(2)
    journals = {name: stored(1, old[name], sent=True) for name in "ab"}
    other = Disclosure("more", "another value", ("c",), Door.REVEAL)

    def program(party: Party) -> Any:
        wanted = [Reveal(name, new.get(party.name), ("c",), SECRET.shape) for name in ("more", "scores")]
        told = party.reveal_all(wanted, givers=("a", "b"))
        return [None if parts is None else sum(parts.values(), np.zeros(4, np.uint64)) for parts in told]

    done = run(program, "abc", disclosures=[SCORES, other], journals=journals, attempt=2)
    assert all(np.array_equal(told, SECRET) for told in done.results["c"])
    sent = {
        s.message.name: s.message.values
        for s in done.views["c"]
        if getattr(s.message, "index", None) == 0 and s.sender == "a"
    }
    assert np.array_equal(sent["scores"], old["a"])
    assert np.array_equal(sent["more"], new["a"])
    one = run(reveal(halves(1)), "abc", disclosures=[SCORES])
    assert done.rounds("c") == one.rounds("c")


class DiesStoring(MemoryJournal):
    """The disk of a party that dies when it stores another part than the first."""

    def store_part(self, name: str, index: int, part: StoredPart) -> None:
        if self._parts:
            raise UnavailableError("This party died.")
        super().store_part(name, index, part)


def test_values_that_are_told_together_are_of_one_attempt() -> None:
    """A crash came between storing two of them: a choice and what belongs to it must not be of two attempts, which round apart."""
    other = Disclosure("more", "another value", ("c",), Door.REVEAL)

    def program(party: Party) -> Any:
        rounded = SECRET + np.uint64(party.session.attempt)
        mask = np.full(4, 77, np.uint64)
        part = {"a": mask, "b": rounded - mask}.get(party.name)
        wanted = [Reveal(name, part, ("c",), SECRET.shape) for name in ("scores", "more")]
        told = party.reveal_all(wanted, givers=("a", "b"))
        return [None if parts is None else sum(parts.values(), np.zeros(4, np.uint64)) for parts in told]

    told = [SCORES, other]
    dying = DiesStoring()
    first = simulate(program, "abc", disclosures=told, journals={"a": dying}, timeout_s=5)
    assert isinstance(first.errors["a"], UnavailableError)
    disk = MemoryJournal()
    disk.__dict__.update(dying.__dict__)
    journals = {**first.journals, "a": disk}
    assert journals["b"].load_part("more", 0) is not None
    again = run(program, "abc", disclosures=told, journals=journals, attempt=2)
    assert [one.tolist() for one in again.results["c"]] == [(SECRET + np.uint64(2)).tolist()] * 2


class Watched(MemoryJournal):
    """Notes in which order things are stored, beside what goes over the wire."""

    def __init__(self, order: list[str]) -> None:
        super().__init__()
        self._order = order

    def record(self, entry: Disclosed) -> None:
        self._order.append("recorded")
        super().record(entry)

    def store_part(self, name: str, index: int, part: StoredPart) -> None:
        self._order.append("stored as sent" if part.sent else "stored")
        super().store_part(name, index, part)


def test_all_is_on_disk_before_the_first_byte_leaves() -> None:
    order: list[str] = []

    def wire(parcel: Parcel) -> bytes:
        if parcel.sender == "a" and b"party.part/1" in parcel.payload:
            order.append("sent")
        return parcel.payload

    run(reveal(halves(1)), "abc", disclosures=[SCORES], journals={"a": Watched(order)}, wire=wire)
    assert order == ["recorded", "stored", "stored as sent", "sent"]


def test_a_part_of_another_shape_is_our_own_fault() -> None:
    done = simulate(reveal({"a": SECRET[:2], "b": SECRET}), "abc", disclosures=[SCORES], timeout_s=5)
    assert isinstance(done.errors["a"], LocalProtocolError)
    assert isinstance(done.errors["c"], UnseenError)


# ---------------------------------------------------------------------- signed transcripts


def signing(*, tamper: bool = False, silent: bool = False) -> dict[str, BaseException | int]:
    """Two parties sign what they said; a liar's message arrives changed at b only, or a signs nothing."""

    def wire(parcel: Parcel) -> bytes:
        if tamper and b"party.standing/1" in parcel.payload:
            return parcel.payload[:-1] + b"\xc3"
        return parcel.payload

    def verify(peer: str, statement: bytes, signature: bytes) -> None:
        if signature != b"signed by " + peer.encode() + statement:
            raise VerificationError(f"{peer} signed another transcript")

    def body(name: str, other: str) -> None:
        made = Party(
            name,
            links[name],
            session=Session("j", "t"),
            gate=Gate(name, DisclosurePolicy("c", "t"), MemoryJournal()),
            sign=None
            if silent and name == "a"
            else lambda statement: b"signed by " + name.encode() + statement,
            verify=verify,
            timeout_s=5,
        )
        try:
            if name == "a":
                made.send(other, Standing("x", 1, 7, sent=False))
            else:
                made.recv(other, Standing)
            made.sign_transcripts()
            results[name] = len(made.transcripts)
        except UnseenError as error:
            results[name] = error

    links = mesh("ab", wire=wire)
    results: dict[str, BaseException | int] = {}
    threads = [threading.Thread(target=body, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


def test_both_ends_sign_what_was_said() -> None:
    assert signing() == {"a": 1, "b": 1}


def test_who_does_not_sign_gets_nothing() -> None:
    """An empty signature is a wrong one: it passed, and the refusal showed in the audit only."""
    assert isinstance(signing(silent=True)["b"], VerificationError)


def test_ends_that_heard_different_things_do_not_go_on() -> None:
    assert all(isinstance(result, VerificationError) for result in signing(tamper=True).values())


def test_nothing_is_revealed_before_the_transcripts_are_signed() -> None:
    said: list[str] = []

    def wire(parcel: Parcel) -> bytes:
        said.append(
            "part"
            if b"party.part/1" in parcel.payload
            else "head"
            if b"signed-head" in parcel.payload
            else ""
        )
        return parcel.payload

    run(reveal(halves(1)), "abc", disclosures=[SCORES], wire=wire)
    order = [word for word in said if word]
    assert order.index("part") >= 2
    assert order.count("head") == 6
