# ruff: noqa: RUF001, DTZ001 - characters that look alike, and times as files hold them
"""Identifiers: the same bytes as the definition in plain Python, which stands here, for every input."""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core import registry
from unseen.core.errors import UsageError
from unseen.data.canonical import KINDS, KindOf
from unseen.data.identifiers import check_unique, identifiers
from unseen.data.repeats import repeats
from unseen.data.table import Table


def text_of(value):
    """The definition: canonical text of one value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not value.is_integer():
            raise UsageError("fractions")
        return str(int(value))
    text = unicodedata.normalize("NFKC", str(value)).strip()
    if not text:
        raise UsageError("empty")
    return text


def defined(*columns):
    """The definition: identifiers of rows of values."""
    rows = []
    for values in zip(*columns, strict=True):
        state = hashlib.sha256(b"unseen/identifier/v1\n")
        for value in values:
            encoded = text_of(value).encode()
            state.update(len(encoded).to_bytes(4, "big") + encoded)
        rows.append(state.digest())
    return np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), 32)


def table(*columns):
    names = [f"k{place}" for place in range(len(columns))]
    data = pa.table(dict(zip(names, columns, strict=True)))
    return Table.of(data, id_columns=names)


def agree(*columns):
    """Both give the same bytes, or both refuse."""
    plain = [column.to_pylist() for column in columns]
    try:
        expected = defined(*plain)
    except UsageError:
        with pytest.raises(UsageError):
            identifiers(table(*columns))
        return
    assert np.array_equal(identifiers(table(*columns)), expected)


# characters that this Python knows: later versions of Unicode may give meaning to the others
known = st.characters(exclude_categories=("Cs", "Cn"))
texts = st.text(known | st.sampled_from(" \t\u00a0\u3000\x1c\x85Ａé\u0301ﬁ½①\u2028"), max_size=8)


@given(st.lists(texts, max_size=30), st.sampled_from([pa.string(), pa.large_string()]))
@settings(max_examples=300, deadline=None)
def test_text_is_as_defined(values, kind):
    agree(pa.array(values, kind))


@given(st.lists(st.text(st.characters(max_codepoint=127), min_size=1, max_size=70), min_size=1, max_size=40))
@settings(max_examples=150, deadline=None)
def test_ascii_text_is_as_defined(values):
    agree(pa.array(values, pa.string()))


@given(st.lists(st.tuples(texts, st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_several_columns_are_as_defined(rows):
    left, right = zip(*rows, strict=True)
    agree(pa.array(left, pa.string()), pa.array(right, pa.int64()))


@given(st.lists(st.floats(), max_size=20), st.booleans())
@settings(max_examples=200, deadline=None)
def test_floating_point_is_as_defined(values, whole):
    numbers = [float(round(value)) if whole and abs(value) < 1e300 else value for value in values]
    agree(pa.array(numbers, pa.float64()))


@pytest.mark.parametrize(
    "column",
    [
        pa.array([0, 1, 2**64 - 1], pa.uint64()),
        pa.array([-128, 127], pa.int8()),
        pa.array([True, False, True]),
        pa.array([1.0, -0.0, 3e20, -1e300]),
        pa.array([1.5, 2.0], pa.float32()),
        pa.array([7.0, 8.0], pa.float32()),
        pa.array([dt.date(2024, 2, 29), dt.date(1, 1, 1)]),
        pa.array(
            [dt.datetime(2024, 2, 29, 1, 2, 3), dt.datetime(2024, 1, 1, 0, 0, 0, 5)], pa.timestamp("us")
        ),
        pa.array([decimal.Decimal("3.00"), decimal.Decimal("-0.01")]),
        pa.array(["x" * 100_000, "é" * 100_000]),
        pa.array(["a", "b", "c", "dé", "e"]).slice(1, 3),
        pa.chunked_array([["a", "b"], [], ["é "]]),
        pa.array([], pa.string()),
    ],
    ids=lambda column: str(column.type),
)
def test_each_type_is_as_defined(column):
    agree(column)


def test_long_and_many_rows_meet_the_definition():
    rng = np.random.default_rng(5)
    values = ["".join(chr(97 + c) for c in rng.integers(0, 26, size)) for size in range(200)]
    agree(pa.array([value or "-" for value in values]))


def test_missing_and_empty_ids_are_refused_with_their_row():
    with pytest.raises(UsageError, match="have no 'k0'"):
        identifiers(table(pa.array(["a", None])))
    with pytest.raises(UsageError, match="row 2"):
        identifiers(table(pa.array(["a", " \t"])))
    with pytest.raises(UsageError, match="row 3"):
        identifiers(table(pa.chunked_array([["a", "b"], ["\u3000"]])))
    with pytest.raises(UsageError, match="no id column"):
        identifiers(Table.of(pa.table({"a": [1]})))


def test_repeated_ids_are_shown():
    with pytest.raises(UsageError, match="2 ids come more than once") as caught:
        check_unique(table(pa.array(["a", "b", " a", "c", "b", "a"])))
    assert "for example: a; b" in str(caught.value)
    check_unique(table(pa.array(["a", "b"]), pa.array(["b", "a"])))
    check_unique(Table.of(pa.table({"a": [1, 1]})))
    with pytest.raises(UsageError, match="a/1"):
        check_unique(table(pa.array(["a", "a"]), pa.array([1, 1])))


@given(st.lists(st.integers(0, 12), max_size=60), st.booleans())
@settings(max_examples=200, deadline=None)
def test_repeats_are_found_whole_by_whole(values, alike):
    ids = np.zeros((len(values), 32), np.uint8)
    ids[:, 31 if alike else 0] = values  # alike: the words that are sorted do not differ
    found = repeats(ids)
    counts = Counter(values)
    expected = sorted(place for place, value in enumerate(values) if counts[value] > 1)
    assert sorted(found.rows) == expected
    assert found.ids == sum(count > 1 for count in counts.values())
    seen, later = set(), []
    for place, value in enumerate(values):
        later += [place] if value in seen else []
        seen.add(value)
    assert found.later.tolist() == later


def same(kind, *values):
    """Canonical forms are equal: compared through the identifiers."""
    ids = identifiers(table(pa.array(values)), {"k0": KindOf.parse(kind)})
    return (ids == ids[0]).all()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("integer", ("007", "7", "+7", " 7 ", "０7")),
        ("integer", ("0", "-0", "+000")),
        ("integer", ("-12", "-0012")),
        ("phone:CN", ("13800138000", "+86 138 0013 8000", "0086-138-0013-8000", "8613800138000", "１３８００１３８０００")),
        ("phone:CN", ("010-62345678", "+86 10 62345678")),
        ("phone:GB", ("020 7946 0000", "+44 (0)20 7946 0000", "0044 20 7946 0000", "+44 20.7946.0000")),
        ("phone:US", ("(415) 555-2671", "1-415-555-2671", "+1 415 555 2671", "011 1 415 555 2671")),
        ("phone:IT", ("06 1234 5678", "+39 06 12345678")),
        ("phone:RU", ("8 912 345-67-89", "+7 912 345 67 89", "9123456789")),
        ("phone", ("+49 30 123456", "0049 30 123456", "+49/30/123456")),
        ("email", ("Ann@Example.ORG", "Ann@example.org", " Ann@EXAMPLE.org.")),
        ("email:lower", ("Ann@Example.ORG", "ann@example.org")),
        ("national-id", ("ab-12.34 5", "AB12345")),
        ("national-id:CN", ("11010519491231002x", "11010519491231002X", "110105 19491231 002X")),
        ("national-id:CN", ("110105491231002", "11010519491231002X")),
        ("text", ("ﬁ ", "fi")),
    ],
)  # fmt: skip
def test_spellings_of_one_id_meet(kind, values):
    assert same(kind, *values)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", ("007", "7")),
        ("text", ("a", "A")),
        ("integer", ("1", "-1")),
        ("integer", ("10", "1")),
        ("email", ("Ann@example.org", "ann@example.org")),
        ("phone:CN", ("13800138000", "13800138001")),
        ("national-id:CN", ("11010519491231002X", "440524188001010014")),
    ],
)
def test_different_ids_stay_apart(kind, values):
    assert not same(kind, *values)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "1.5"), ("integer", "x"), ("integer", "--1"),
        ("phone", "13800138000"), ("phone:CN", "123"), ("phone:CN", "+86 138x"), ("phone", "+1234567890123456"),
        ("email", "nobody"), ("email", "a@"), ("email", "@b"), ("email", "a b@c"),
        ("national-id", "12#4"), ("national-id:CN", "110105194912310021"), ("national-id:CN", "1234"),
    ],
)  # fmt: skip
def test_what_is_not_of_a_kind_is_refused_with_its_row(kind, value):
    with pytest.raises(UsageError, match=r"row 1") as caught:
        same(kind, value)
    assert kind in str(caught.value)


def test_kinds_are_written_with_a_parameter():
    assert str(KindOf.parse("phone:CN")) == "phone:CN"
    for wrong in ("phone:XX", "colour", "text:x"):
        with pytest.raises(UsageError):
            KindOf.parse(wrong)


@pytest.mark.parametrize("name", registry.names(KINDS))
def test_every_kind_is_in_the_documentation(name):
    page = (Path(__file__).parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
    module = registry.load(KINDS, name)
    assert module.SUMMARY
    for parameter in module.PARAMETERS:
        assert (
            f" {parameter} " in page or f" {parameter})" in page or f":{parameter}`" in page
        ) or not parameter
    assert f"`{name}`" in page
