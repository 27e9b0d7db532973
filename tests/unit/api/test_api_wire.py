"""Errors and events as they travel."""

from __future__ import annotations

import pytest
from api_double import ERRORS
from hypothesis import given
from hypothesis import strategies as st

from unseen.api.wire import ServerEvent, error_body, error_from, read_events, write_event
from unseen.core.errors import DeniedError, UnseenError, UsageError


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_errors_come_back(name):
    back = error_from(error_body(ERRORS[name]), status=400)
    assert type(back) is type(ERRORS[name])
    assert str(back) == str(ERRORS[name])


def test_problems_and_clause_come_back():
    usage = error_from(error_body(ERRORS["usage"]), status=422)
    denied = error_from(error_body(ERRORS["denied"]), status=403)
    assert isinstance(usage, UsageError)
    assert usage.problems == ("a: bad", "b: worse")
    assert isinstance(denied, DeniedError)
    assert denied.clause == "purpose"


@pytest.mark.parametrize(
    "body", [None, 3, [], {}, {"error": None}, {"error": "x"}, {"detail": "Not Found"}, "text", {"error": []}]
)
def test_a_strange_answer_is_an_error_that_says_so(body):
    assert "502" in error_from(body, status=502).what


@pytest.mark.parametrize(
    "fields", [{}, {"code": 3}, {"code": "usage", "problems": None}, {"what": ["x"]}, {"code": "unheard-of"}]
)
def test_a_damaged_error_is_still_an_error(fields):
    assert isinstance(error_from({"error": fields}, status=500), UnseenError)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["job", "end", "error"]),
            st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1),
            st.sampled_from(["", "1", "77"]),
        )
    )
)
def test_events_come_back(events):
    wanted = [ServerEvent(*event) for event in events]
    text = ": still here\n\n".join(["", *(write_event(event) for event in wanted)])
    assert list(read_events(text.split("\n"))) == wanted


def test_an_unfinished_event_is_left_out():
    assert list(read_events(["event: job", "data: {}"])) == []
    assert list(read_events(["event: job", "", "data: x", ""])) == [ServerEvent("message", "x")]
