"""The link over real TCP and TLS: in order, once, unaltered, whatever happens to the cable."""

from __future__ import annotations

import hashlib
import random
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from link_world import World

from unseen.core.errors import (
    DeniedError,
    LocalProtocolError,
    RemoteProtocolError,
    UnavailableError,
    UnseenError,
    UsageError,
    VerificationError,
)
from unseen.link import connect, greeting
from unseen.link.frames import Kind, pack


@pytest.fixture
def world() -> World:
    return World()


def test_messages_of_all_sizes_arrive_and_the_transcripts_agree(world: World) -> None:
    a, b = world.links()
    sizes = [0, 1, 7, 16383, 16384, 65535, 65536, 65537, 1 << 20, (1 << 22) + 3]

    def end(link):
        channel = link.channel("main")
        for size in sizes:
            channel.send([b"head", random.Random(size).randbytes(size)])
        got = [bytes(channel.recv(20)) for _ in sizes]
        assert got == [b"head" + random.Random(size).randbytes(size) for size in sizes]
        return link.transcript()

    one, other = world.both(lambda: end(a), lambda: end(b))
    assert one == other
    assert isinstance(one, bytes)
    assert a.secret == b.secret
    assert len(a.secret) == 32
    assert a.stats().bytes_sent == sum(sizes) + 4 * len(sizes)
    assert a.stats().messages_received == len(sizes)
    assert a.stats().wire_bytes_sent > a.stats().bytes_sent
    world.both(a.close, b.close)


def test_a_message_in_many_parts_is_one_message(world: World) -> None:
    a, b = world.links()
    a.channel("main").send([b"x", b"", bytearray(b"yz"), memoryview(b"w" * 100_000)])
    assert bytes(b.channel("main").recv(5)) == b"xyz" + b"w" * 100_000
    world.both(a.close, b.close)


def test_what_is_received_may_be_written_to(world: World) -> None:
    a, b = world.links()
    a.channel("main").send([b"abc"])
    got = b.channel("main").recv(5)
    got[0] = 0
    assert bytes(got) == b"\0bc"
    world.both(a.close, b.close)


def test_channels_do_not_wait_for_each_other(world: World) -> None:
    a, b = world.links(window_bytes=1 << 16)
    for _ in range(8):
        a.channel("full").send([bytes(1 << 16)])
    a.channel("other").send([b"through"])
    assert bytes(b.channel("other").recv(5)) == b"through"
    for _ in range(8):
        assert len(b.channel("full").recv(5)) == 1 << 16
    world.both(a.close, b.close)


def test_threads_share_a_link(world: World) -> None:
    a, b = world.links()

    def talk(link, name: str):
        channel = link.channel(name)
        for number in range(50):
            channel.send([f"{name}{number}".encode()])
            assert bytes(channel.recv(20)) == f"{name}{number}".encode()

    def end(link):
        threads = [threading.Thread(target=talk, args=(link, name)) for name in "pqrst"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        return link.transcript()

    one, other = world.both(lambda: end(a), lambda: end(b))
    assert one == other
    world.both(a.close, b.close)


def _everybody_sends_first(world: World, total: int, window: int) -> None:
    a, b = world.links(window_bytes=window)
    block = random.Random(0).randbytes(1 << 20)

    def end(link):
        channel = link.channel("main")
        for _ in range(total >> 20):
            channel.send([block])
        state = hashlib.sha256()
        for _ in range(total >> 20):
            state.update(channel.recv(120))
        return state.hexdigest()

    expected = hashlib.sha256(block * (total >> 20)).hexdigest()
    assert world.both(lambda: end(a), lambda: end(b), timeout_s=300) == (expected, expected)
    world.both(a.close, b.close)


def test_both_send_far_more_than_the_window_before_anybody_receives(world: World) -> None:
    _everybody_sends_first(world, 32 << 20, 1 << 18)


def _three_parties_send_first(total: int, window: int) -> None:
    """Every party sends `total` to each of the two others and only then begins to receive."""
    one, two, three = (World().links(window_bytes=window) for _ in range(3))
    hands = ((one[0], two[0]), (one[1], three[0]), (two[1], three[1]))
    block, count = random.Random(0).randbytes(1 << 20), total >> 20
    expected, found = hashlib.sha256(block * count).hexdigest(), list[str]()

    def party(links) -> None:
        for _ in range(count):
            for link in links:
                link.channel("main").send([block])
        for link in links:
            state = hashlib.sha256()
            for _ in range(count):
                state.update(link.channel("main").recv(240))
            found.append(state.hexdigest())

    threads = [threading.Thread(target=party, args=(links,), daemon=True) for links in hands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(500)
    assert found == [expected] * 6
    for link in (*one, *two, *three):
        link.abort("unavailable", None)


def test_three_parties_send_far_more_than_the_window_before_anybody_receives() -> None:
    _three_parties_send_first(8 << 20, 1 << 18)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_all_send_a_gibibyte_at_once_through_a_window_of_a_mebibyte() -> None:
    _three_parties_send_first(1 << 30, 1 << 20)


def test_a_message_larger_than_the_window(world: World) -> None:
    a, b = world.links(window_bytes=1 << 16)
    big = random.Random(1).randbytes(5 << 20)
    one, other = world.both(
        lambda: (a.channel("main").send([big]), bytes(a.channel("main").recv(20)))[1],
        lambda: (b.channel("main").send([b"ok"]), bytes(b.channel("main").recv(20)))[1],
    )
    assert (one, other) == (b"ok", big)
    world.both(a.close, b.close)


@pytest.mark.parametrize("seed", range(3))
def test_ten_random_cuts_change_nothing(world: World, seed: int) -> None:
    a, b = world.links()
    rng = random.Random(seed)
    rounds = 400

    def end(link, mine: int):
        sizes = random.Random(seed + mine)
        channel, state = link.channel("main"), hashlib.sha256()
        for _ in range(rounds):
            channel.send([sizes.randbytes(sizes.choice([10, 3000, 200_000]))])
            state.update(channel.recv(30))
        return link.transcript()

    stop = threading.Event()

    def cut() -> None:
        for _ in range(10):
            if stop.wait(rng.uniform(0.01, 0.15)):
                return
            world.cable.cut()

    scissors = threading.Thread(target=cut)
    scissors.start()
    one, other = world.both(lambda: end(a, 1), lambda: end(b, 2), timeout_s=100)
    stop.set()
    scissors.join()
    assert isinstance(one, bytes), one
    assert one == other
    assert world.cable.made > 1
    world.both(a.close, b.close)


def test_a_cable_that_stays_cut_ends_in_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = world.links(reconnect_s=0.5)

    def no_more(name: str, timeout_s: float) -> None:
        time.sleep(min(timeout_s, 0.1))
        raise UnavailableError("the cable is gone")

    monkeypatch.setattr(world.cable, "_next", no_more)
    world.cable.cut()
    for link in (a, b):
        with pytest.raises(UnavailableError):
            link.channel("main").recv(10)
        with pytest.raises(UnavailableError):
            link.channel("main").send([b"x"])


def test_without_reconnecting_a_link_ends_with_its_connection(world: World) -> None:
    a, b = world.links(reconnect_s=0)
    world.cable.cut()
    for link in (a, b):
        with pytest.raises(UnavailableError):
            link.channel("main").recv(10)


def test_silence_is_an_error_after_the_time_out(world: World) -> None:
    a, b = world.links()
    start = time.monotonic()
    with pytest.raises(UnavailableError, match="silent"):
        a.channel("main").recv(0.3)
    assert 0.2 < time.monotonic() - start < 20
    world.both(a.close, b.close)


@pytest.mark.parametrize(
    ("cause", "named"), [("c", "c"), ("", "a"), ("a", "a"), ("b", "a"), ("mallory", "a")]
)
def test_of_those_who_take_part_a_peer_may_name_the_one_that_failed_first(
    world: World, cause: str, named: str
) -> None:
    a, b = world.links(others=("c",))
    a.abort("usage", "train", cause=cause)
    with pytest.raises(UsageError) as caught:
        b.channel("m").recv(5)
    assert caught.value.party == named
    assert caught.value.what == f"{named} failed at step 'train'."
    assert caught.value.why == ("so says a" if named == "c" else "")
    assert named in caught.value.mend


def test_an_abort_reaches_the_peer_with_class_and_step(world: World) -> None:
    a, b = world.links()
    a.abort("denied", "train")
    with pytest.raises(DeniedError) as caught:
        b.channel("main").recv(5)
    assert (caught.value.party, caught.value.step) == ("a", "train")
    with pytest.raises(UnavailableError):
        a.channel("main").send([b"x"])


def test_close_delivers_what_is_queued(world: World) -> None:
    a, b = world.links()
    blob = bytes(3 << 20)

    def late():
        time.sleep(0.3)
        got = bytes(b.channel("main").recv(20))
        with pytest.raises(UnavailableError, match="closed"):
            b.channel("main").recv(5)
        return got

    one, other = world.both(lambda: (a.channel("main").send([blob]), a.close())[1], late)
    assert one is None
    assert other == blob
    b.close()


def test_another_key_is_refused(world: World) -> None:
    stranger = Ed25519PrivateKey.generate()
    one, other = world.both(
        lambda: world.open("a", key=stranger, connect_s=2.0), lambda: world.open("b", connect_s=2.0)
    )
    assert isinstance(one, UnseenError)
    assert isinstance(other, (RemoteProtocolError, VerificationError))


def test_another_task_or_attempt_is_refused(world: World) -> None:
    one, other = world.both(
        lambda: world.open("a", use="job-1/train/2", connect_s=2.0), lambda: world.open("b", connect_s=2.0)
    )
    assert isinstance(one, UnseenError)
    assert isinstance(other, UnseenError)


def test_a_clock_that_is_off_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = greeting.greet

    def off(connection, ours, *, deadline):
        clock = ours.clock + (120 if ours.party == "a" else 0)
        return plain(connection, type(ours)(**{**_fields(ours), "clock": clock}), deadline=deadline)

    monkeypatch.setattr(connect, "greet", off)
    _, other = world.both(lambda: world.open("a", connect_s=2.0), lambda: world.open("b", connect_s=2.0))
    assert isinstance(other, VerificationError)
    assert "clocks" in other.what


def test_an_end_that_was_started_anew_is_refused(world: World) -> None:
    a, b = world.links(reconnect_s=3.0)
    world.cable._waiting["b"].queue.clear()
    a.abort("internal", None)
    a.close()
    one, _ = world.both(lambda: world.open("a", connect_s=2.0), lambda: None)
    assert isinstance(one, UnseenError)
    with pytest.raises(UnseenError):
        b.channel("main").recv(5)


def _fields(struct):
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


BAD_FRAMES = {
    "unknown kind": pack(Kind.DATA)[:0] + b"\x63" + pack(Kind.DATA)[1:],
    "far too long": b"\x03\x03\x00\x00\xff\xff\xff\xff" + bytes(8),
    "a number left out": pack(Kind.CLOSE, number=77),
    "replayed": pack(Kind.CLOSE, number=0),
    "data for no channel": pack(Kind.DATA, b"\0" * 8, flags=3, channel=9, number=1),
    "channel out of order": pack(Kind.OPEN, b"x", channel=5, number=1),
    "a second greeting": pack(Kind.HELLO, b"\x80"),
    "acknowledges what was not sent": pack(Kind.ACK, number=1000),
    "a broken acknowledgement": pack(Kind.ACK, b"abc"),
    "a broken failure": pack(Kind.ABORT, b"\xff\xff"),
    "first piece without a size": pack(Kind.OPEN, b"m", number=1)
    + pack(Kind.DATA, b"abc", flags=3, number=2),
    "less than it says": pack(Kind.OPEN, b"m", number=1)
    + pack(Kind.DATA, (10).to_bytes(8, "big") + b"abc", flags=3, number=2),
    "more than it says": pack(Kind.OPEN, b"m", number=1)
    + pack(Kind.DATA, (1).to_bytes(8, "big") + b"abc", flags=3, number=2),
    "huge message": pack(Kind.OPEN, b"m", number=1)
    + pack(Kind.DATA, (1 << 40).to_bytes(8, "big"), flags=1, number=2),
    "after the end": pack(Kind.CLOSE, number=1) + pack(Kind.OPEN, b"m", number=2),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_what_breaks_the_rules_ends_in_an_error(world: World, name: str) -> None:
    a, b = world.links(reconnect_s=0)
    with a._change:
        a._connection.write(BAD_FRAMES[name])
        a._connection.flush()
    with pytest.raises(RemoteProtocolError, match="broke the rules") as caught:
        b.channel("main").recv(5)
    assert caught.value.party == "a"


def test_more_than_there_was_room_for_is_refused(world: World) -> None:
    a, b = world.links(window_bytes=1 << 16, reconnect_s=0)
    b.channel("other")
    a.channel("main").send([bytes(100)])
    with a._change:
        a._outgoing._by_number[0].limit = 1 << 40
    a.channel("main").send([bytes(1 << 20)])
    with pytest.raises(RemoteProtocolError, match="broke the rules"):
        b.channel("other").recv(5)


def test_nothing_is_sent_on_a_link_that_is_closed(world: World) -> None:
    a, b = world.links()
    world.both(a.close, b.close)
    with pytest.raises((UnavailableError, LocalProtocolError)):
        a.channel("main").send([b"x"])
