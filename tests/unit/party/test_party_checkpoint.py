"""Checkpoints: wherever parties die, all go on from the newest that all have, with the same result and fresh masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UnavailableError
from unseen.link.memory import Parcel
from unseen.party import Disclosure, Door, Party
from unseen.party.checkpoint import MOST, Checkpoints, Held
from unseen.party.messages import decode, encode, packed, unpacked
from unseen.testing.dying import DyingJournal, When
from unseen.testing.simulate import Run, run, simulate

PARTIES = ("a", "b", "helper")
TOTAL = 3
TOLD = [Disclosure("sum", "the sum so far", ("a",), Door.REVEAL, max_elements=2, times=TOTAL)]
Crash = tuple[str, int, When]  # who dies, at storing which passage, before or after


def add_up(party: Party) -> tuple[int, list[int], list[bytes]]:
    """A secret of two is shared anew in each passage and grows by one; how many are done at the start, sums, noise."""
    checkpoints = party.checkpoints("round", TOTAL)
    begun, held = checkpoints.resume()
    share = held["share"] if begun and party.name != "helper" else np.zeros(2, np.uint64)
    sums, noise = [], []
    for done in range(begun, TOTAL):
        if party.name != "helper":
            fresh = party.shared_rng("b" if party.name == "a" else "a").u64(2)
            share = share + fresh + np.uint64(1) if party.name == "a" else share - fresh
        noise.append(party.output_rng.bytes(16))
        part = None if party.name == "helper" else share
        told = party.reveal("sum", part, givers=("a", "b"), to=("a",), shape=(2,))
        if told is not None:
            sums.append(int((told["a"] + told["b"])[0]))
        checkpoints.save(done + 1, {} if party.name == "helper" else {"share": share})
    return begun, sums, noise


def attempts(*crashes: Crash | None) -> tuple[list[Run[Any]], Mapping[str, DyingJournal]]:
    journals = {name: DyingJournal() for name in PARTIES}
    runs = []
    for attempt, crash in enumerate(crashes, 1):
        for name, journal in journals.items():
            journal.next_attempt(crash[1:] if crash and crash[0] == name else None)
        runs.append(
            simulate(add_up, PARTIES, journals=journals, attempt=attempt, disclosures=TOLD, timeout_s=10.0)
        )
    return runs, journals


def check(*crashes: Crash) -> None:
    """After these crashes the last attempt comes to the end, lost at most a passage, and tells nothing new."""
    runs, journals = attempts(*crashes, None)
    last = runs[-1]
    assert not last.errors, last.errors
    (begun,) = {result[0] for result in last.results.values()}
    due = 0
    for _, stored, _ in crashes:
        due = min(TOTAL, due + stored - 1)  # at most the passage is lost in which somebody died
    assert begun >= due
    assert last.results["a"][1] == list(range(begun + 1, TOTAL + 1))
    assert all(len(journal.kept) <= 2 for journal in journals.values())
    told = {(item.name, item.index) for item in journals["a"].entries}
    assert told == {("sum", index) for index in range(TOTAL)}


EVERY: list[Crash] = [
    (party, nth, when) for party in PARTIES for nth in range(1, TOTAL + 1) for when in ("before", "after")
]


@pytest.mark.parametrize("crash", EVERY, ids=str)
def test_one_dies_anywhere(crash: Crash) -> None:
    check(crash)


@pytest.mark.long
@pytest.mark.parametrize("first", EVERY, ids=str)
def test_two_die_one_after_the_other_anywhere(first: Crash) -> None:
    for second in EVERY:
        check(first, second)


TWO_OF_ONE_PASSAGE: tuple[Crash, Crash] = (("b", 2, "before"), ("a", 1, "before"))
"""Passage 2 is stored by a in the first attempt, and by b in the second."""


def test_what_two_attempts_stored_of_one_passage_is_never_mixed() -> None:
    check(*TWO_OF_ONE_PASSAGE)
    runs, _ = attempts(*TWO_OF_ONE_PASSAGE, None)
    assert {result[0] for result in runs[-1].results.values()} == {1}


def test_checkpoints_named_by_passage_alone_would_be_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that the test above must find."""
    read = Checkpoints._read
    monkeypatch.setattr(
        Checkpoints,
        "_read",
        lambda self, slot: (stored := read(self, slot)) and msgspec.structs.replace(stored, attempt=1),
    )
    runs, _ = attempts(*TWO_OF_ONE_PASSAGE, None)
    assert {result[0] for result in runs[-1].results.values()} == {2}
    assert runs[-1].results["a"][1] != [3]  # shares that do not belong together


def test_output_randomness_and_counts_go_on_where_they_stood() -> None:
    (whole,), _ = attempts(None)
    plain = whole.results
    assert [plain[name][0] for name in PARTIES] == [0, 0, 0]
    runs, journals = attempts(("b", 2, "after"), None)
    begun, _, noise = runs[1].results["a"]
    assert begun in (1, 2)
    again = simulate(
        lambda party: [party.output_rng.bytes(16) for _ in range(TOTAL)],
        PARTIES,
        journals=journals,
        attempt=3,
    )
    assert noise == again.results["a"][begun:]


def test_a_stream_made_after_the_checkpoint_goes_on_too() -> None:
    def program(party: Party) -> bytes:
        checkpoints = party.checkpoints("round", 2)
        begun, _ = checkpoints.resume()
        if not begun:
            party.stream("x").output_rng.bytes(100)
            checkpoints.save(1, {})
            raise UnavailableError("dead")
        return party.stream("x").output_rng.bytes(16)

    first = simulate(program, ("a", "b"))
    second = run(program, ("a", "b"), journals=first.journals, attempt=2)
    whole = run(lambda party: party.stream("x").output_rng.bytes(128), ("a", "b"), journals=first.journals)
    for name in "ab":
        assert second.results[name] == whole.results[name][112:]


def test_a_first_attempt_asks_nobody() -> None:
    done = run(lambda party: party.checkpoints("round", 9).resume(), PARTIES)
    assert all(result == (0, {}) for result in done.results.values())
    assert done.bytes_sent == 0


def test_of_many_passages_some_are_stored_and_the_last() -> None:
    def program(party: Party) -> list[int]:
        checkpoints = party.checkpoints("round", 100)
        return [done for done in range(1, 101) if checkpoints.due(done)]

    (stored, _) = run(program, ("a", "b")).results.values()
    assert len(stored) <= MOST + 1
    assert stored[-1] == 100
    assert max(np.diff(stored)) == 4


def test_progress_says_where_it_went_on() -> None:
    runs, journals = attempts(("b", 2, "after"), None)
    assert runs[0].errors
    heard: list[str] = []

    def program(party: Party) -> Any:
        party._progress = lambda progress: heard.append(progress.note)
        result = add_up(party)
        party.progress(TOTAL, TOTAL, "rounds")
        return result, party.resumed

    # the second attempt came to its end, so the third goes on from the last passage
    third = run(program, PARTIES, journals=journals, attempt=3, disclosures=TOLD)
    (_, resumed) = third.results["a"]
    assert (resumed.unit, resumed.done, resumed.total, resumed.attempt) == ("round", 3, 3, 2)
    assert set(heard) == {"went on from round 3 of 3", "rounds, went on from round 3 of 3"}


# ---------------------------------------------------------------------- who lies, errs, or has another version


def broken(change: Callable[[Parcel, Held], Held | None], *crashes: Crash) -> dict[str, BaseException]:
    """Errors of the attempt after these crashes, when what some tell of their checkpoints is changed on its way."""
    _, journals = attempts(*crashes)
    for journal in journals.values():
        journal.next_attempt()

    def wire(parcel: Parcel) -> bytes:
        try:
            held = decode(memoryview(bytearray(parcel.payload)), Held, sender=parcel.sender)
        except RemoteProtocolError:
            return parcel.payload
        return b"".join(encode(change(parcel, held) or held))

    options: dict[str, Any] = {"journals": journals, "attempt": len(crashes) + 1, "disclosures": TOLD}
    return simulate(add_up, PARTIES, wire=wire, timeout_s=5.0, **options).errors


def test_who_tells_different_parties_different_things_is_found_out() -> None:
    def lie(parcel: Parcel, held: Held) -> Held | None:
        first = parcel.seq == 0  # of the channel: the list of what is held
        return Held(held.unit, ()) if first and (parcel.sender, parcel.receiver) == ("a", "b") else None

    errors = broken(lie, ("b", 3, "before"))
    assert all(isinstance(error, RemoteProtocolError) for error in errors.values())
    assert len(errors) == len(PARTIES)


def test_who_speaks_of_other_passages_is_named() -> None:
    def err(parcel: Parcel, held: Held) -> Held | None:
        return Held("tree", held.names) if parcel.sender == "b" else None

    errors = broken(err, ("b", 2, "before"))
    assert isinstance(errors["a"], RemoteProtocolError)
    assert errors["a"].party == "b"
    assert "'tree'" in str(errors["a"])


def test_who_stores_another_passage_is_named() -> None:
    def err(parcel: Parcel, held: Held) -> Held | None:
        return Held(held.unit, ((7, 1),)) if parcel.sender == "b" else None

    errors = broken(err)
    assert isinstance(errors["a"], RemoteProtocolError)
    assert errors["a"].party == "b"


def test_who_says_it_has_nothing_makes_all_begin_at_the_beginning() -> None:
    """As if its disk had died; that is its right, and tells it nothing."""
    runs, journals = attempts(("b", 2, "after"))
    assert runs[0].errors
    journals["helper"].kept.clear()
    for journal in journals.values():
        journal.next_attempt()
    again = run(add_up, PARTIES, journals=journals, attempt=2, disclosures=TOLD)
    assert {result[0] for result in again.results.values()} == {0}
    assert again.results["a"][1] == [1, 2, 3]


@pytest.mark.parametrize("what", ["release", "damaged"])
def test_what_another_release_stored_or_nobody_can_read_counts_as_nothing(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, journals = attempts(("b", 2, "after"))
    assert runs[0].errors
    journals["b"].next_attempt()
    if what == "release":
        monkeypatch.setattr("unseen.party.checkpoint.__version__", "99")
    else:
        journals["a"].kept.update(dict.fromkeys((0, 1), b"what is this"))
    again = run(add_up, PARTIES, journals=journals, attempt=2, disclosures=TOLD)
    assert {result[0] for result in again.results.values()} == {0}


def test_one_series_a_task_looked_for_once_and_before_anything_is_stored() -> None:
    def program(party: Party) -> None:
        checkpoints = party.checkpoints("round", 2)
        with pytest.raises(LocalProtocolError, match="before it stores"):
            checkpoints.save(1, {})
        checkpoints.resume()
        with pytest.raises(LocalProtocolError, match="once"):
            checkpoints.resume()
        with pytest.raises(LocalProtocolError, match="used twice"):
            party.checkpoints("epoch", 2)

    run(program, ("a", "b"))


def test_arrays_come_back_as_they_were_and_objects_are_refused() -> None:
    for array in (np.arange(6.0).reshape(2, 3).T, np.zeros((0, 2), bool), np.arange(3, dtype=np.uint8)):
        again = unpacked(*packed(array))
        assert again.dtype == array.dtype
        assert np.array_equal(again, array)
        assert again.flags.writeable
    with pytest.raises(LocalProtocolError, match="cannot be stored"):
        packed(np.array([object()]))
