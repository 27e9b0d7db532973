"""Parameters of the LPN assumption: what is there, what is refused, what sizes come of them."""

from __future__ import annotations

import math

import pytest

from unseen.core.errors import UsageError
from unseen.ot import lpn_params


def test_the_sets() -> None:
    sets = {name: lpn_params.primal(name) for name in ("b10", "b11", "b12", "b13")}
    assert {name: (s.noise, s.table_bits, s.depth, s.outputs) for name, s in sets.items()} == {
        "b10": (850, 16, 10, 870_400),
        "b11": (1170, 17, 11, 2_396_160),
        "b12": (1520, 18, 12, 6_225_920),
        "b13": (1900, 19, 13, 15_564_800),
    }
    for entry in (*sets.values(), lpn_params.dual()):
        assert entry.source
        assert entry.date >= "2025-08"


@pytest.mark.parametrize("name", ["", "b14", "b11 ", "silver", "ExAcc7", "ferret-2020", "bac-3x32"])
def test_unknown_sets_are_refused(name: str) -> None:
    for look_up in (lpn_params.primal, lpn_params.dual):
        with pytest.raises(UsageError, match="no set"):
            look_up(name)


def test_a_set_of_the_other_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="kind"):
        lpn_params.primal(lpn_params.DUAL)
    with pytest.raises(UsageError, match="kind"):
        lpn_params.dual("b11")


def test_a_changed_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lpn_params, "_DIGEST", "0" * 64)
    with pytest.raises(UsageError, match="released"):
        lpn_params._load()


def test_sets_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(UsageError, match="are not"):
        lpn_params.PrimalSet("x", 850, 16, 10, 870_401, "", "")


@pytest.mark.parametrize("outputs", [1, 1000, 2048, 5000, 65_536, 1_420_000, 1 << 21])
def test_dual_sizes(outputs: int) -> None:
    parameters = lpn_params.dual()
    size = lpn_params.dual_size(parameters, outputs)
    assert size.rows >= 2 * outputs
    assert size.trees >= parameters.noise
    assert size.depth >= 4
    bits = -size.trees * math.log2(1 - parameters.pseudo_distance)
    assert bits >= 128
    if outputs >= 65_536:
        assert size.rows < 2.1 * outputs
        assert size.trees < 2.1 * parameters.noise
