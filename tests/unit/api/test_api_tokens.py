"""Tokens: hashed at rest, roles, removal at once, damage, races."""

from __future__ import annotations

import json
import threading

import pytest

from unseen.api.routes import operations
from unseen.api.tokens import OWNER_ONLY, ROLES, Tokens, may
from unseen.core.errors import DeniedError, UnavailableError, UsageError
from unseen.node.operations import READ_ONLY


def test_a_token_is_known_until_it_is_removed_also_to_another_process(tmp_path):
    daemon, command = Tokens(tmp_path), Tokens(tmp_path)
    command.add("owner", "owner")
    made = command.add("eve", "operator")
    assert (daemon.check(made.text).name, daemon.check(made.text).role) == ("eve", "operator")
    command.remove("eve")
    with pytest.raises(DeniedError):
        daemon.check(made.text)


def test_the_file_holds_no_token_and_is_ours_alone(tmp_path):
    text = Tokens(tmp_path).add("owner", "owner").text
    file = tmp_path / "tokens.json"
    assert text not in file.read_text()
    assert text.split("-", 2)[2] not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_tokens_are_long_and_never_the_same(tmp_path):
    tokens = Tokens(tmp_path)
    texts = {tokens.add(f"t{number}", "auditor").text for number in range(20)}
    assert len(texts) == 20
    assert min(len(text) for text in texts) >= 43


@pytest.mark.parametrize("text", ["", "x", "unseen-owner-", "\udcff", "ü" * 1000])
def test_nonsense_is_denied(tmp_path, text):
    Tokens(tmp_path).add("owner", "owner")
    with pytest.raises(DeniedError):
        Tokens(tmp_path).check(text)


def test_a_truncated_or_longer_token_is_denied(tmp_path):
    tokens = Tokens(tmp_path)
    text = tokens.add("owner", "owner").text
    for near in (text[:-1], text + "a", text.upper(), text.replace("owner", "operator")):
        with pytest.raises(DeniedError):
            tokens.check(near)


def test_without_a_file_nobody_is_let_in(tmp_path):
    with pytest.raises(DeniedError):
        Tokens(tmp_path).check("")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"format": 2, "tokens": []}', b"\xff", b'{"tokens": 1}']
)
def test_a_damaged_file_lets_nobody_in(tmp_path, content):
    text = Tokens(tmp_path).add("owner", "owner").text
    (tmp_path / "tokens.json").write_bytes(content)
    with pytest.raises(UnavailableError):
        Tokens(tmp_path).check(text)
    with pytest.raises(UnavailableError):
        Tokens(tmp_path).add("another", "owner")


def test_the_last_owner_stays(tmp_path):
    tokens = Tokens(tmp_path)
    tokens.add("owner", "owner")
    tokens.add("ann", "auditor")
    with pytest.raises(UsageError, match="last owner"):
        tokens.remove("owner")
    tokens.add("second", "owner")
    tokens.remove("owner")
    assert [token.name for token in tokens.list()] == ["ann", "second"]


def test_names_and_roles_are_checked(tmp_path):
    tokens = Tokens(tmp_path)
    tokens.add("owner", "owner")
    for name, role in (("owner", "auditor"), ("Bad Name", "auditor"), ("x", "root")):
        with pytest.raises(UsageError):
            tokens.add(name, role)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no token"):
        tokens.remove("nobody")
    assert len(tokens.list()) == 1


def test_the_first_owners_token_is_written_once(tmp_path):
    path = Tokens(tmp_path).write_owner()
    assert path.stat().st_mode & 0o777 == 0o600
    assert Tokens(tmp_path).check(path.read_text().strip()).role == "owner"
    with pytest.raises(UsageError):
        Tokens(tmp_path).write_owner()


def test_two_at_once_lose_nothing(tmp_path):
    def work(prefix: str) -> None:
        for number in range(10):
            Tokens(tmp_path).add(f"{prefix}{number}", "auditor")

    threads = [threading.Thread(target=work, args=(prefix,)) for prefix in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Tokens(tmp_path).list()) == 40
    assert len(json.loads((tmp_path / "tokens.json").read_text())["tokens"]) == 40


def test_views_show_no_hash(tmp_path):
    tokens = Tokens(tmp_path)
    made = tokens.add("owner", "owner")
    for view in (*tokens.list(), tokens.check(made.text)):
        assert set(view.model_dump()) == {"name", "role", "created_at"}


def test_roles_are_nested():
    covered = {role: {name for name in operations() if may(role, name)} for role in ROLES}
    assert covered["owner"] == set(operations())
    assert covered["operator"] == set(operations()) - OWNER_ONLY
    assert covered["auditor"] == READ_ONLY
    assert covered["auditor"] < covered["operator"] < covered["owner"]
    assert set(operations()) >= READ_ONLY | OWNER_ONLY
