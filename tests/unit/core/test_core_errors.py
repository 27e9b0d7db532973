"""The one shape of errors: what, why, how to mend; and how little of it a peer is told."""

from __future__ import annotations

import pickle

import pytest

from unseen.core import errors
from unseen.core.errors import DeniedError, UnseenError, UsageError, from_dict
from unseen.core.ids import check_name, new_id

TABLE = {
    errors.UsageError: ("usage", 422, 2),
    errors.DeniedError: ("denied", 403, 3),
    errors.LocalProtocolError: ("protocol-local", 500, 4),
    errors.RemoteProtocolError: ("protocol-remote", 502, 4),
    errors.VerificationError: ("verification", 409, 5),
    errors.UnavailableError: ("unavailable", 503, 6),
    errors.UnseenError: ("internal", 500, 1),
}


@pytest.mark.parametrize("kind", TABLE)
def test_codes_are_those_of_the_table(kind: type[UnseenError]) -> None:
    assert (kind.code, kind.http, kind.exit_code) == TABLE[kind]


@pytest.mark.parametrize("kind", TABLE)
def test_it_says_what_why_and_how_to_mend_and_survives_its_stored_form(kind: type[UnseenError]) -> None:
    error = kind("It broke.", why="it fell", mend="hold it", party="clinic", step="train")
    assert str(error) == "It broke.\nWhy: it fell\nTo mend: hold it"
    again = from_dict(error.to_dict())
    assert type(again) is kind
    assert again.to_dict() == error.to_dict()
    assert pickle.loads(pickle.dumps(error)).to_dict() == error.to_dict()


def test_where_it_happened_is_the_last_line_of_a_traceback() -> None:
    error = UsageError("Two rows have one id.").at(party="b", step="align").at(party="c", step="train")
    assert (error.party, error.step, error.__notes__) == ("b", "align", ["At: party b, step align"])
    again = pickle.loads(pickle.dumps(error))
    assert again.__notes__ == error.__notes__
    assert str(again) == "Two rows have one id."


def test_a_peer_is_told_the_code_and_the_step_only() -> None:
    error = UsageError("Row 17 of Zhang San is wrong.", why="secret", mend="secret", party="a", step="psi")
    assert error.to_peer() == {"code": "usage", "step": "psi"}


def test_all_problems_at_once() -> None:
    error = UsageError("Not a config.", problems=("a is missing", "b is no number"))
    assert str(error).splitlines()[1:] == ["  - a is missing", "  - b is no number"]
    again = from_dict(
        UsageError("Not a config.", why="so", problems=("a is missing", "b is no number")).to_dict()
    )
    assert again.why == "so; a is missing; b is no number"  # from a worker to its user nothing is lost


def test_a_denial_names_its_clause() -> None:
    assert DeniedError("No.", clause="runs").why == "clause runs"
    assert DeniedError("No.", clause="runs", why="none left").why == "none left"


def test_an_unknown_code_is_still_an_error() -> None:
    assert type(from_dict({"code": "of-the-future", "what": "x"})) is UnseenError
    assert str(from_dict({})) == "unknown error"


@pytest.mark.parametrize("name", ["a", "clinic-b", "x" * 40, "a1"])
def test_names(name: str) -> None:
    assert check_name(name, kind="party") == name


@pytest.mark.parametrize("name", ["", "A", "1a", "-a", "a_b", "x" * 41, "a/b", "é", "a\n"])
def test_bad_names(name: str) -> None:
    with pytest.raises(UsageError, match="party name"):
        check_name(name, kind="party")


def test_ids_cannot_be_guessed() -> None:
    made = {new_id("job") for _ in range(100)}
    assert len(made) == 100
    assert {len(item) for item in made} == {4 + 32}
