"""Bars of a job on a terminal."""

from __future__ import annotations

import io

import pytest
from api_double import JOB, NOW, PROBLEM, TASKS
from rich.console import Console

from unseen.cli import watch
from unseen.core.errors import UnavailableError, UnseenError
from unseen.node.models import JobEvent


def _event(progress=None, **more):
    return JobEvent(seq=1, at=NOW, job=JOB.id, kind="progress", progress=progress, **more)


@pytest.fixture
def screen(monkeypatch):
    output = io.StringIO()
    terminal = Console(file=output, force_terminal=True, width=120, markup=False, highlight=False)
    monkeypatch.setattr(watch, "console", lambda errors: terminal)
    return output


def test_every_task_has_a_bar_and_ends_with_its_sign(screen):
    done = [task.model_copy(update={"state": "finished"}) for task in TASKS[:3]]
    failed = TASKS[3].model_copy(update={"state": "failed", "note": "cable"})
    watch.bars(JOB, [*map(_event, done), _event(failed), _event(text="the end")])
    last = screen.getvalue()
    for task in TASKS:
        assert task.task in last
        assert task.party in last
    for sign in ("✓", "✗", "cable", "the end", "1/4"):
        assert sign in last


def test_a_task_that_was_not_known_before_gets_a_bar(screen):
    watch.bars(JOB.model_copy(update={"tasks": ()}), [_event(TASKS[0])])
    assert TASKS[0].task in screen.getvalue()


def test_notes_from_others_cannot_steer_the_terminal(screen):
    evil = TASKS[0].model_copy(update={"note": "x\x1b]0;owned\x07[bold]y", "total": 0})
    watch.bars(JOB, [_event(evil), _event(text="\x1b[31mred")])
    assert "\x1b]0" not in screen.getvalue()
    assert "\x1b[31m" not in screen.getvalue()
    assert "[bold]y" in screen.getvalue()


def test_outcomes():
    watch.outcome(JOB.model_copy(update={"state": "finished"}))
    with pytest.raises(UnavailableError, match="silent"):
        watch.outcome(JOB.model_copy(update={"state": "failed", "problem": PROBLEM}))
    for state in ("cancelled", "denied", "failed", "running"):
        with pytest.raises(UnseenError, match=state):
            watch.outcome(JOB.model_copy(update={"state": state}))
