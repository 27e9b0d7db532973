"""node.toml: every mistake at once, and no key that means nothing."""

from pathlib import Path

import pytest

from unseen.core.errors import UsageError
from unseen.node.config import NodeConfig, load, parse, parse_address, to_toml


def test_the_shortest_configuration(tmp_path):
    (tmp_path / "node.toml").write_text('name = "hospital"\n')
    config = load(tmp_path)
    assert config.home == tmp_path
    assert config.link.listen is None
    assert config.api.listen == "127.0.0.1:0"
    assert config.allow_slow_unhardened_reference_kernels is False


def test_all_mistakes_are_listed_at_once(tmp_path):
    values = {
        "name": "Big Hospital",
        "link": {"listen": "nowhere", "window_bytes": 1, "proxy": "socks5://x:1"},
        "jobs": {"attempts": 0},
        "log_level": "loud",
    }
    with pytest.raises(UsageError) as caught:
        parse(values, base=tmp_path)
    problems = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 6
    for place in ("name", "link.listen", "link.window_bytes", "link.proxy", "jobs.attempts", "log_level"):
        assert f"{place}:" in problems


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"nam": "x"}, "did you mean 'name'?"),
        ({"link": {"listn": "0.0.0.0:1"}}, "link.listn: there is no such setting; did you mean 'listen'?"),
        ({"api": {"qqqq": 1}}, "api.qqqq: there is no such setting; known here: listen"),
        ({"zzzzzz": 1}, "known here: name, home"),
    ],
)
def test_unknown_keys_are_refused_with_a_hint(tmp_path, values, hint):
    with pytest.raises(UsageError) as caught:
        parse({"name": "a", **values}, base=tmp_path)
    assert any(hint in problem for problem in caught.value.problems)


def test_missing_file_and_broken_toml(tmp_path):
    with pytest.raises(UsageError, match="no readable configuration"):
        load(tmp_path)
    (tmp_path / "node.toml").write_text("name = ")
    with pytest.raises(UsageError, match="not TOML"):
        load(tmp_path)
    (tmp_path / "node.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not TOML"):
        load(tmp_path)


def test_paths_are_relative_to_the_file(tmp_path):
    config = parse({"name": "a", "home": "data", "keys": {"keyfile": "k"}}, base=tmp_path)
    assert config.home == tmp_path / "data"
    assert config.keys.keyfile == tmp_path / "k"


def test_two_ways_to_seal_are_one_too_many(tmp_path):
    with pytest.raises(UsageError) as caught:
        parse({"name": "a", "keys": {"keyfile": "k", "passphrase_file": "p"}}, base=tmp_path)
    assert "not both" in caught.value.problems[0]


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("127.0.0.1:7710", ("127.0.0.1", 7710)),
        ("[::1]:0", ("::1", 0)),
        ("a.example:65535", ("a.example", 65535)),
    ],
)
def test_addresses(address, parts):
    assert parse_address(address) == parts


@pytest.mark.parametrize(
    "address", ["", "host", "host:", ":80", "host:65536", "host:-1", "::1:80", "h:8x", "h:²"]
)
def test_bad_addresses(address):
    with pytest.raises(ValueError, match=r"host:port|brackets"):
        parse_address(address)


def test_what_is_written_reads_back_the_same(tmp_path):
    config = parse(
        {
            "name": "clinic-b",
            "title": 'Clinic "B"\nsecond line \\ tab\t end é',
            "link": {"listen": "[::]:7710", "public": ["b.example:7710"], "proxy": "http://p.example:3128/"},
            "jobs": {"silence_s": 0.25, "attempts": 2},
            "keep": {"intermediates": True},
            "allow_slow_unhardened_reference_kernels": True,
            "log_level": "debug",
        },
        base=tmp_path,
    )
    (tmp_path / "node.toml").write_text(to_toml(config), encoding="utf-8")
    assert load(tmp_path) == config


def test_every_setting_has_a_default_but_the_name(tmp_path):
    assert {name for name, field in NodeConfig.model_fields.items() if field.is_required()} == {
        "name",
        "home",
    }


def test_the_documentation_lists_every_setting():
    text = (Path(__file__).parents[3] / "docs/node.md").read_text(encoding="utf-8")
    for name, field in NodeConfig.model_fields.items():
        inner = getattr(field.annotation, "model_fields", None)
        for setting in [f"{name}.{key}" for key in inner] if inner else [name]:
            assert f"`{setting}`" in text, f"docs/node.md does not tell of {setting}"
