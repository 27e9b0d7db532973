"""Signs of life: an end that has nothing to say is heard of all the same, one that is stopped is not."""

from __future__ import annotations

import time

from link_world import World

from unseen.link.pulse import BEAT_S


def test_an_idle_end_is_heard_of_and_a_stopped_one_is_not() -> None:
    a, b = World().links()
    quiet = 6 * BEAT_S
    time.sleep(quiet)
    assert a.silent_s() < quiet / 2
    assert b.silent_s() < quiet / 2
    with b._change:  # its pump cannot go on, as if the process were stopped
        time.sleep(quiet)
        assert a.silent_s() > quiet - 2 * BEAT_S
    deadline = time.monotonic() + 60
    while a.silent_s() > BEAT_S:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    a.channel("main").send([b"on"])  # and nothing was lost
    assert bytes(b.channel("main").recv(10)) == b"on"


def test_signs_of_life_are_no_payload_and_no_rounds() -> None:
    a, _b = World().links()
    before = a.stats()
    time.sleep(3 * BEAT_S)
    after = a.stats()
    assert (after.bytes_sent, after.messages_sent, after.rounds) == (0, 0, 0)
    assert 0 < after.wire_bytes_sent - before.wire_bytes_sent < 1000
