"""More than two holders with a helper: all of them but one, putting together what they have, see noise. With mutants."""

from __future__ import annotations

from collections import defaultdict
from functools import reduce
from typing import Any

import numpy as np
import pytest

from unseen.mpc import Engine, sigmoid
from unseen.mpc.protocols.dealer.dealing import Dealing
from unseen.party import Disclosure, Door, Party
from unseen.party.exchanged import Opening
from unseen.testing.mutants import Mutant, mutants
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import objections, opened, secret_arrays

TOLD = Disclosure("result", "the result of a test", ("p0",), Door.REVEAL, times=4)
ROWS = 2000
each_size = pytest.mark.parametrize("holders", [3, 4])


def names(holders: int) -> tuple[str, ...]:
    return tuple(f"p{place}" for place in range(holders))


def go(program: Any, holders: int) -> Run[Any]:
    def body(party: Party) -> Any:
        engine = Engine(party, holders=names(holders), helper="helper", protocol="dealer")
        x = engine.share(np.ones(ROWS) if party.name == "p0" else None, owner="p0", shape=(ROWS,))
        y = engine.share(np.ones(ROWS) if party.name == "p1" else None, owner="p1", shape=(ROWS,))
        return program(engine, x, y)

    return simulate(body, (*names(holders), "helper"), disclosures=[TOLD])


# ---------------------------------------------------------------- what each of them receives


def everything(engine: Engine, x: Any, y: Any) -> Any:
    z = x * y
    p = sigmoid(z)
    q = engine.truncate(np.where(p < y, p, y) * 2, 12, exact=True)
    s = engine.number(engine.protocol.shuffle(q.share[..., None])[0][..., 0], 12)
    total = (engine.fix(x) * s).sum() + (x < y).sum() + np.exp(x - y).sum()
    return engine.reveal("result", total, to=("p0",))


def found(run: Run[Any], holders: int) -> list[str]:
    views = [run.views[name] for name in names(holders)]
    received = [text for view in views for text in objections(secret_arrays(view))]
    return received + objections(opened(*views))


@each_size
def test_views_are_uniform_and_the_helper_sees_nothing(holders: int) -> None:
    run = go(everything, holders)
    assert not run.errors
    assert {type(seen.message).__name__ for seen in run.views["helper"]} == {"SignedHead"}
    assert found(run, holders) == []
    np.testing.assert_allclose(run.results["p0"], ROWS * (1 + 2 / (1 + np.exp(-1))), rtol=1e-3)


@pytest.mark.parametrize(
    "mutant",
    [item for item in mutants("mpc-dealer") if item.flaw != "missing zero-share"],
    ids=lambda mutant: mutant.name,
)
def test_mutants_are_found(mutant: Mutant) -> None:
    with mutant.applied():
        run = go(everything, 3)
    assert found(run, 3)


# ---------------------------------------------------------------- what all but one of them know together


def masks_and_openings(
    program: Any, holders: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Holder -> its masks in order, holder -> what it opened in order."""
    masks: dict[str, list[Any]] = defaultdict(list)
    for kind in ("uniform", "uniform_bits"):
        honest = getattr(Dealing, kind)

        def noted(self: Dealing, *options: Any, _honest: Any = honest) -> Any:
            drawn = _honest(self, *options)
            masks[self._party.name].append(drawn.reshape(-1).copy())
            return drawn

        monkeypatch.setattr(Dealing, kind, noted)
    run = go(program, holders)
    assert not run.errors
    told: dict[str, list[Any]] = {}
    for view in run.views.values():
        heard = defaultdict(list)
        for seen in view:
            if isinstance(seen.message, Opening):
                heard[seen.sender].append(seen.message.values.reshape(-1))
        told = {**heard, **told}
    return masks, told


OPENINGS: dict[str, Any] = {  # what is opened, and how its summands are put together
    "multiply": (lambda engine, x, y: engine.protocol.multiply(x.share, y.share), np.add),
    "truncate": (lambda engine, x, y: engine.protocol.truncate(x.share, 20), np.add),
    "mask": (lambda engine, x, y: engine.protocol.mask(x.share), np.add),
    "fix": (lambda engine, x, y: engine.protocol.fix(x.share), np.add),
    "and": (lambda engine, x, y: engine.protocol.and_both(x.share[None], (y.share[None],)), np.bitwise_xor),
    "bit to number": (
        lambda engine, x, y: engine.protocol.to_ring((x.share & np.uint64(1)).astype(np.uint8)),
        np.bitwise_xor,
    ),
}


def unmasked(operation: str, holders: int, without: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An opened value, from which all holders but one have taken away their parts of the mask."""
    program, combine = OPENINGS[operation]
    masks, told = masks_and_openings(program, holders, monkeypatch)
    value = reduce(combine, [parts[0] for parts in told.values()])
    others = [name for place, name in enumerate(names(holders)) if place != without]
    parts = [np.concatenate(masks[name]).view(value.dtype) for name in others]
    whole = reduce(combine, parts)
    # Numbers are opened less their mask, and under it where they are masked for bits.
    sign = -1 if operation in {"truncate", "mask"} else 1
    return combine(value, whole if combine is np.bitwise_xor or sign == 1 else np.uint64(0) - whole)


@pytest.mark.parametrize("operation", OPENINGS)
@each_size
def test_all_holders_but_one_cannot_take_a_mask_away(
    operation: str, holders: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for without in (0, holders - 1):
        value = unmasked(operation, holders, without, monkeypatch)
        assert objections([("opened value", value.view(np.uint8))]) == []


def _of_the_first(self: Dealing, shape: Any, dtype: Any, holders: Any, combine: Any) -> Any:
    """One holder has the whole mask: right, uniform to an onlooker, and no secret from the first holder."""
    if self.deals:
        return self._draw(holders[0], shape, dtype)
    drawn = self._draw(self._helper, shape, dtype)
    return drawn if self._party.name == holders[0] else np.zeros(shape, dtype)


def test_mutant_masks_that_one_holder_has_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dealing, "_expand", _of_the_first)
    assert (
        found(go(lambda engine, x, y: engine.protocol.fix(x.share), 3), 3) == []
    )  # it looks well from outside
    value = unmasked("fix", 3, 2, monkeypatch)
    assert objections([("opened value", value.view(np.uint8))])


SHARED: dict[str, Any] = {
    "product": lambda engine, x, y: (x * y).share,
    "bits as numbers": lambda engine, x, y: engine.as_number(x < y).share,
    "shuffled": lambda engine, x, y: engine.protocol.shuffle(x.share[..., None])[0],
}


@pytest.mark.parametrize("made", SHARED)
@each_size
def test_shares_of_all_holders_but_one_tell_nothing(made: str, holders: int) -> None:
    run = go(SHARED[made], holders)
    shares = [run.results[name] for name in names(holders)]
    for without in range(holders):
        known = reduce(np.add, [share for place, share in enumerate(shares) if place != without])
        assert objections([("sum of shares", known.reshape(-1).view(np.uint8))]) == []


# ---------------------------------------------------------------- parts of a result


def multiplied(engine: Engine, x: Any, _y: Any) -> Any:
    """A result that no truncation has shared anew: bare shares of 256 times a secret end in a zero byte."""
    return engine.reveal("result", x * 256, to=("p0",))


def test_parts_of_a_result_are_shared_anew() -> None:
    assert found(go(multiplied, 3), 3) == []
    (mutant,) = [item for item in mutants("mpc-dealer") if item.flaw == "missing zero-share"]
    with mutant.applied():
        assert found(go(multiplied, 3), 3)
