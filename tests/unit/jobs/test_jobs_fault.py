"""Who is at fault when a task stops: whoever shows no sign of life, not whoever waits for it as we do."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import Any

import pytest

from unseen.core.errors import RemoteProtocolError, UnavailableError
from unseen.jobs.worker import _unexpected, at_fault


@dataclass
class Link:
    silence: float

    def silent_s(self) -> float:
        return self.silence


def links(**silent: float) -> Any:
    return {peer: Link(silence) for peer, silence in silent.items()}


WAITED = UnavailableError("laboratory was silent for too long.", party="laboratory", step="train")


def test_the_stopped_party_is_named_not_the_one_that_waits_for_it() -> None:
    found = at_fault(WAITED, links(laboratory=0.3, helper=2.4))
    assert (found.code, found.party, found.step) == ("unavailable", "helper", "train")
    assert "laboratory has nothing to go on with" in found.why


@pytest.mark.parametrize(
    "silent",
    [
        {"laboratory": 2.4, "helper": 0.2},  # it is the silent one
        {"laboratory": 0.3, "helper": 0.6},  # all are alive: nobody else to name
        {"laboratory": 2.2, "helper": 2.5},  # both gone: the one that was waited for
        {"helper": 9.0},  # no link with whom the problem names
    ],
)
def test_otherwise_the_problem_stays(silent: dict[str, float]) -> None:
    assert at_fault(WAITED, links(**silent)) is WAITED


def test_other_problems_stay() -> None:
    broken = RemoteProtocolError("laboratory sent something else.", party="laboratory")
    assert at_fault(broken, links(laboratory=0.1, helper=9.0)) is broken


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_no_bug_and_is_tried_again(number: int) -> None:
    found = _unexpected(OSError(number, os.strerror(number)))
    assert isinstance(found, UnavailableError)
    assert "free space" in found.mend
    assert not isinstance(_unexpected(OSError(errno.EBADF, "bad")), UnavailableError)
