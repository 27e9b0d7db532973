"""A party in a running protocol: streams, groups, absentees, and randomness that is never used twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import (
    DeniedError,
    LocalProtocolError,
    RemoteProtocolError,
    UnavailableError,
    UsageError,
)
from unseen.link.memory import Parcel, mesh
from unseen.party import (
    DisclosurePolicy,
    Gate,
    MemoryJournal,
    Message,
    Party,
    Pool,
    Public,
    Session,
    Share,
)
from unseen.party.party import AHEAD_BYTES
from unseen.testing.simulate import run, simulate


class Number(Message, frozen=True, tag="test.number/1"):
    value: Public[int]


class Block(Message, frozen=True, tag="test.block/1"):
    values: Share


ABC = ("a", "b", "c")


def results(program: Callable[[Party], Any], parties: tuple[str, ...] = ABC, **options: Any) -> Any:
    return run(program, parties, **options).results


def test_everybody_hears_everybody() -> None:
    def program(party: Party) -> int:
        answers = party.exchange(Number(ord(party.name)), Number)
        return sum(answer.value for answer in answers.values())

    assert results(program) == {"a": 98 + 99, "b": 97 + 99, "c": 97 + 98}


def test_another_message_than_the_one_that_is_due_is_an_error_with_the_senders_name() -> None:
    def program(party: Party) -> None:
        if party.name == "a":
            party.send("b", Number(1))
        else:
            party.recv("a", Block)

    done = simulate(program, ("a", "b"))
    assert isinstance(done.errors["b"], RemoteProtocolError)
    assert done.errors["b"].party == "a"


def test_who_is_not_there_is_named() -> None:
    def program(party: Party) -> None:
        party.send("nobody", Number(1))

    assert isinstance(simulate(program, ("a", "b")).errors["a"], LocalProtocolError)


def test_who_runs_ahead_waits() -> None:
    message, sent, go = Block(np.zeros(AHEAD_BYTES // 16, np.uint64)), [0], threading.Event()

    def program(party: Party) -> None:
        if party.name == "a":
            for _ in range(50):
                party.pace("b")
                party.send("b", message)
                sent[0] += 1
            return
        go.wait(10)
        for _ in range(50):
            party.recv("a", Block)

    running = threading.Thread(target=results, args=(program, ("a", "b")))
    running.start()
    running.join(0.2)
    assert 2 <= sent[0] <= 4
    go.set()
    running.join(10)
    assert sent[0] == 50


def test_all_may_pace_where_a_step_begins_whatever_they_send_in_it() -> None:
    message = Block(np.zeros(AHEAD_BYTES // 4, np.uint64))  # twice as much as may wait

    def program(party: Party) -> int:
        for _ in range(5):
            for peer in party.peers:
                party.pace(peer)
            for _ in range(2):
                for peer in party.peers:
                    party.send(peer, message)
            for _ in range(2):
                for peer in party.peers:
                    party.recv(peer, Block)
        return 1

    assert results(program) == dict.fromkeys(ABC, 1)


# ---------------------------------------------------------------------- streams and groups


def test_streams_run_side_by_side_and_do_not_mix() -> None:
    def program(party: Party) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}

        def talk(child: Party, start: int) -> None:
            (peer,) = child.peers
            for step in range(20):
                child.send(peer, Number(start + step))
            found[str(start)] = [child.recv(peer, Number).value for _ in range(20)]

        children = [party.stream(name) for name in ("x", "y", "z")]
        threads = [
            threading.Thread(target=talk, args=(child, 100 * place)) for place, child in enumerate(children)
        ]
        for thread in threads if party.name == "a" else reversed(threads):
            thread.start()
        for thread in threads:
            thread.join(20)
        return found

    expected = {str(start): list(range(start, start + 20)) for start in (0, 100, 200)}
    assert results(program, ("a", "b")) == {"a": expected, "b": expected}


def test_a_group_sees_its_members_only() -> None:
    def program(party: Party) -> Any:
        if party.name == "c":
            return None
        group = party.group(("a", "b"))
        assert group.peers == (("b",) if party.name == "a" else ("a",))
        assert group.everyone == ("a", "b")
        with pytest.raises(LocalProtocolError, match="no link to 'c'"):
            group.send("c", Number(1))
        return group.exchange(Number(1), Number).keys()

    assert results(program)["a"] == {"b"}


def test_a_stream_is_made_once() -> None:
    """Twice, it would draw the same masks again."""

    def program(party: Party) -> None:
        party.stream("x")
        party.stream("y").stream("x")
        with pytest.raises(LocalProtocolError, match="used twice"):
            party.stream("x")
        party.group(("a", "b"), name="g")
        with pytest.raises(LocalProtocolError, match="used twice"):
            party.group(("a", "b"), name="g")

    run(program, ("a", "b"))


# ---------------------------------------------------------------------- absentees


def test_gather_tells_the_answers_from_the_missing() -> None:
    def program(party: Party) -> Any:
        if party.name == "a":
            answers, missing = party.gather(("b", "c", "d"), Number, until=0.6, at_least=2)
            return {peer: answer.value for peer, answer in answers.items()}, missing
        if party.name != "c":
            party.send("a", Number(ord(party.name)))
        else:
            time.sleep(1.0)  # there, but silent
        return None

    start = time.monotonic()
    assert results(program, ("a", "b", "c", "d"))["a"] == ({"b": 98, "d": 100}, ("c",))
    assert time.monotonic() - start < 3


def test_gather_waits_once_for_all_and_not_for_each() -> None:
    def program(party: Party) -> Any:
        if party.name == "a":
            start = time.monotonic()
            party.gather(("b", "c", "d"), Number, until=0.4, at_least=0)
            return time.monotonic() - start
        time.sleep(0.8)
        return None

    assert results(program, ("a", "b", "c", "d"))["a"] < 0.7


def test_a_peer_that_is_gone_is_missing() -> None:
    def wire(parcel: Parcel) -> bytes | None:
        return None if parcel.sender == "c" else parcel.payload

    def program(party: Party) -> Any:
        if party.name == "a":
            return party.gather(("b", "c"), Number, until=0.3, at_least=1)[1]
        party.send("a", Number(1))
        return None

    assert results(program, wire=wire)["a"] == ("c",)


def test_too_few_answers_are_an_error_that_names_the_missing() -> None:
    def program(party: Party) -> Any:
        if party.name == "a":
            party.gather(("b", "c"), Number, until=0.2, at_least=2)
        elif party.name == "b":
            party.send("a", Number(1))
        time.sleep(0.4)

    error = simulate(program, ABC).errors["a"]
    assert isinstance(error, UnavailableError)
    assert "from c" in error.why


def test_what_is_no_absence_is_not_tolerated() -> None:
    """A peer that lies or is refused has not merely stayed away."""

    def program(party: Party) -> Any:
        if party.name == "a":
            party.gather(("b", "c"), Number, until=2.0, at_least=1)
        elif party.name == "b":
            party.send("a", Block(np.zeros(1, np.uint64)))
        else:
            raise DeniedError("no")

    error = simulate(program, ABC).errors["a"]
    assert isinstance(error, RemoteProtocolError)
    assert error.party == "b"


# ---------------------------------------------------------------------- masks


def draw(party: Party) -> dict[str, bytes]:
    (peer,) = party.peers
    child = party.stream("x")
    return {
        "own": party.rng.bytes(32),
        "own later": party.rng.bytes(32),
        "own on x": child.rng.bytes(32),
        "shared": party.shared_rng(peer).bytes(32),
        "shared on x": child.shared_rng(peer).bytes(32),
        "seed": party.shared_seed(peer, "p"),
        "other seed": party.shared_seed(peer, "q"),
        "seed on x": child.shared_seed(peer, "p"),
        "output": party.output_rng.bytes(32),
        "output on x": child.output_rng.bytes(32),
    }


COMMON = {"shared", "shared on x", "seed", "other seed", "seed on x"}
OUTPUT = {"output", "output on x"}


def test_masks_are_fresh_by_party_stream_label_and_attempt() -> None:
    first = run(draw, ("a", "b"))
    second = run(draw, ("a", "b"), journals=first.journals, attempt=2)
    same_attempt = run(draw, ("a", "b"), journals=first.journals, attempt=1)
    for name in COMMON:
        assert first.results["a"][name] == first.results["b"][name], name
    drawn = [
        value
        for made in (first, second, same_attempt)
        for party in "ab"
        for name, value in made.results[party].items()
        if name not in OUTPUT and (party == "a" or name not in COMMON)
    ]
    assert len(set(drawn)) == len(drawn)  # not even by mistake the same attempt twice: the root is fresh


def test_a_link_that_serves_two_attempts_gives_other_masks() -> None:
    """The number of the attempt counts by itself, though links of an attempt have secrets of their own."""
    links = mesh("ab")
    gate = Gate("a", DisclosurePolicy("c", "t"), MemoryJournal())
    one, other = (Party("a", links["a"], session=Session("j", "t", number), gate=gate) for number in (1, 2))
    assert one.shared_rng("b").bytes(32) != other.shared_rng("b").bytes(32)
    assert one.shared_seed("b", "x") != other.shared_seed("b", "x")


def test_outputs_are_drawn_once_for_all_attempts() -> None:
    first = run(draw, ("a", "b"))
    second = run(draw, ("a", "b"), journals=first.journals, attempt=2)
    elsewhere = run(draw, ("a", "b"))
    for party in "ab":
        for name in OUTPUT:
            assert first.results[party][name] == second.results[party][name]
            assert first.results[party][name] != elsewhere.results[party][name]
    told = {first.results[party][name] for party in "ab" for name in OUTPUT}
    assert len(told) == 4
    assert not told & {value for name, value in first.results["a"].items() if name not in OUTPUT}


def test_a_seed_is_given_once() -> None:
    def program(party: Party) -> None:
        (peer,) = party.peers
        party.shared_seed(peer, "p")
        with pytest.raises(LocalProtocolError, match="used twice"):
            party.shared_seed(peer, "p")

    run(program, ("a", "b"))


def test_the_output_seed_is_in_the_journal_before_anything_is_drawn() -> None:
    class Full(MemoryJournal):
        def load_output_seed(self, fresh: bytes) -> bytes:
            raise UnavailableError("the disk is full")

    gate = Gate("a", DisclosurePolicy("c", "t"), Full())
    with pytest.raises(UnavailableError, match="full"):
        Party("a", {}, session=Session("j", "t"), gate=gate)


# ---------------------------------------------------------------------- the rest


def test_a_masked_value_opens_to_its_sum() -> None:
    def program(party: Party) -> Any:
        return party.open_masked(np.array([ord(party.name), 1 << 63], np.uint64))

    for opened in results(program).values():
        assert opened.tolist() == [97 + 98 + 99, 1 << 63]


def test_an_opening_of_another_shape_is_refused() -> None:
    def program(party: Party) -> Any:
        return party.open_masked(np.zeros(2 if party.name == "a" else 3, np.uint64))

    done = simulate(program, ("a", "b"))
    assert {type(error) for error in done.errors.values()} <= {RemoteProtocolError, UnavailableError}
    assert any(isinstance(error, RemoteProtocolError) for error in done.errors.values())


@pytest.mark.parametrize("workers", [1, 3])
def test_the_pool_keeps_the_order_and_tells_the_first_error(workers: int) -> None:
    pool = Pool(workers)
    assert pool.map(lambda item: item * item, range(20)) == [item * item for item in range(20)]

    def fail(item: int) -> int:
        if item >= 3:
            raise UsageError(f"item {item}")
        return item

    with pytest.raises(UsageError, match="item 3"):
        pool.map(fail, range(20))


@pytest.mark.parametrize("workers", [1, 3])
def test_work_aside_is_waited_for_and_its_error_told(workers: int) -> None:
    pool, begun = Pool(workers), threading.Event()

    def work() -> int:
        begun.set()
        return 7

    result = pool.aside(work)
    # with one worker it runs when it is asked for
    assert begun.wait(5.0) if workers > 1 else not begun.is_set()
    assert result() == 7
    with pytest.raises(UsageError, match="aside"):
        pool.aside(partial(_fail, "aside"))()


def _fail(what: str) -> None:
    raise UsageError(what)


def test_progress_tells_the_task() -> None:
    heard: list[Any] = []

    def program(party: Party) -> None:
        party._progress = heard.append
        party.progress(1, 2, "half")

    run(program, ("a",))
    assert (heard[0].step, heard[0].done, heard[0].total, heard[0].note) == ("test-task", 1, 2, "half")
