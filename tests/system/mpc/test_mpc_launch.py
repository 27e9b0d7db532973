"""Real processes on loopback, for every protocol."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen import mpc
from unseen.core import registry
from unseen.core.errors import LocalProtocolError, UsageError
from unseen.mpc.engine import PROTOCOLS

X, Y = np.random.default_rng(2).normal(size=(50, 4)), np.random.default_rng(3).normal(size=(50, 4))


def correlation(x, y):
    x, y = x - np.mean(x, axis=0), y - np.mean(y, axis=0)
    return {
        "correlation": (x * y).sum(axis=0) * mpc.rsqrt((x * x).sum(axis=0)) * mpc.rsqrt((y * y).sum(axis=0)),
        "larger": (x > y).sum(axis=0),
    }


@pytest.mark.parametrize("protocol", registry.names(PROTOCOLS))
def test_a_function_of_two_parties(protocol: str) -> None:
    outcome = mpc.launch(correlation, protocol=protocol, inputs={"x": X, "y": Y})
    wanted = correlation(X, Y)
    np.testing.assert_allclose(outcome.result["correlation"], wanted["correlation"], atol=1e-3)
    np.testing.assert_array_equal(outcome.result["larger"], wanted["larger"])
    assert outcome.seconds > 0
    if registry.load(PROTOCOLS, protocol).STATEMENT.adversary == "none":
        assert (outcome.bytes_sent, outcome.rounds) == (0, 0)
    else:
        assert outcome.bytes_sent > 1000
        assert outcome.rounds > 10


def test_without_lpn_the_same_comes_out_in_more_bytes() -> None:
    x = np.linspace(-1, 1, 20_000)
    usual, bare = (
        mpc.launch(lambda x: x > 0, protocol="pair2", inputs={"x": x}, assumption=assumption)
        for assumption in (None, "symmetric")
    )
    np.testing.assert_array_equal(usual.result, bare.result)
    assert bare.bytes_sent > 2 * usual.bytes_sent
    with pytest.raises(UsageError, match="no assumption to choose"):
        mpc.launch(lambda x: x, inputs={"x": x[:1]}, assumption="symmetric")


def test_the_tutorial_runs() -> None:
    page = Path(__file__).parents[3] / "docs" / "mpc.md"
    code = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(
        compile(code.replace("print(", "repr((").replace("bytes_sent)", "bytes_sent))"), str(page), "exec"),
        names,
    )
    wanted = names["pay_gap"](**_inputs())
    np.testing.assert_allclose(names["outcome"].result["gap"], wanted["gap"], atol=2e-3)
    np.testing.assert_allclose(names["outcome"].result["top"], wanted["top"], atol=1e-5)


def _inputs() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {"salaries": rng.uniform(2, 9, 1000), "women": rng.random(1000) < 0.5}


def test_kinds_are_kept() -> None:
    outcome = mpc.launch(lambda x, y: np.where(x, y, -y), inputs={"x": np.array([True, False]), "y": [3, 4]})
    assert outcome.result.tolist() == [3, -4]


def test_errors_are_those_of_the_party_that_failed() -> None:
    with pytest.raises(LocalProtocolError, match="not known here"):
        mpc.launch(lambda x: x or -x, inputs={"x": X})
    with pytest.raises(UsageError, match="secret array is due"):
        mpc.launch(lambda x: 3, inputs={"x": X})
    with pytest.raises(UsageError, match="nothing to compute on"):
        mpc.launch(lambda: 3, inputs={})
    with pytest.raises(UsageError, match="does not fit"):
        mpc.launch(lambda x: x, inputs={"x": np.array([np.nan])})
    with pytest.raises(LocalProtocolError, match=r"nothing_such[\s\S]*test_mpc_launch\.py:\d+, in"):
        mpc.launch(lambda x: x.nothing_such, inputs={"x": X})  # the line of the caller's function


def test_what_is_asked_for_in_vain_is_told_before_anything_runs() -> None:
    for bits in (0, -1, 31):
        with pytest.raises(UsageError, match="fraction bits"):
            mpc.launch(lambda x: x, inputs={"x": X}, bits=bits)
    with pytest.raises(UsageError, match="masked"):
        mpc.launch(lambda x: x, inputs={"x": np.ma.array([1.0, 1e6], mask=[False, True])})
    with pytest.raises(UsageError, match="lpn, symmetric"):
        mpc.launch(lambda x: x, inputs={"x": X}, protocol="pair2", assumption="none")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="a name that is text, not 1"):
        mpc.launch(lambda x: {1: x}, inputs={"x": X}, protocol="plain")


def test_whole_numbers_fractions_and_single_ones_come_back_as_they_are() -> None:
    inputs = {"i": np.array([2**60 + 1, -3]), "x": np.array([0.5]), "limit": 2}
    told = mpc.launch(
        lambda i, x, limit: {"i": i + 1, "place": i.argmin(), "x": x * limit}, inputs=inputs
    ).result
    assert told["i"].tolist() == [2**60 + 2, -2]
    assert told["i"].dtype == told["place"].dtype == np.int64
    assert np.array(["a", "b"])[told["place"]] == "b"
    assert told["x"] == pytest.approx([1.0], abs=1e-5)


def test_more_holders_than_a_protocol_needs() -> None:
    outcome = mpc.launch(
        lambda x, y, z: {"sum": x + y + z, "most": np.maximum(np.maximum(x, y), z)},
        protocol="dealer",
        holders=3,
        inputs={"x": [1, 2], "y": [3, 0], "z": [2, 2]},
    )
    assert outcome.result["sum"].tolist() == [6, 4]
    assert outcome.result["most"].tolist() == [3, 2]
    with pytest.raises(UsageError, match="does not work among 17 holders"):
        mpc.launch(lambda x: x, protocol="dealer", holders=17, inputs={"x": [1]})


def test_several_arrays_come_back_in_their_order() -> None:
    outcome = mpc.launch(lambda x, y: (x + y, x > y), protocol="dealer", inputs={"x": [1, 4], "y": [3, 2]})
    total, more = outcome.result
    assert isinstance(outcome.result, tuple)
    assert total.tolist() == [4, 6]
    assert more.tolist() == [False, True]
    (alone,) = mpc.launch(lambda x: [x], protocol="dealer", inputs={"x": [1]}).result
    assert alone.tolist() == [1]
    with pytest.raises(UsageError, match=r"returned a int .*'result 2'"):
        mpc.launch(lambda x: (x, 3), protocol="dealer", inputs={"x": [1]})
