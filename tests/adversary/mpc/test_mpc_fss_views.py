"""What holders see of comparisons by function secret sharing is noise, whatever is compared; mutants are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import UnseenError
from unseen.kernels import dcf
from unseen.link.memory import Parcel
from unseen.mpc import Engine, sigmoid
from unseen.mpc.protocols.dealer.dealing import ComparisonKeys, Dealing
from unseen.party import Disclosure, Door, Party
from unseen.testing.mutants import Mutant, mutants
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import objections, opened, secret_arrays

TOLD = Disclosure("result", "the result of a test", ("a",), Door.REVEAL)
ROWS = 700


def program(party: Party, *, value: float = 1.0) -> Any:
    engine = Engine(party, holders=("a", "b"), helper="helper", fss=True)
    x = engine.share(np.full(ROWS, value) if party.name == "a" else None, owner="a", shape=(ROWS,))
    y = engine.share(np.zeros(ROWS) if party.name == "b" else None, owner="b", shape=(ROWS,))
    z = np.where(x < y, x, y) + np.where(y < x, y, 1.0)
    kept = engine.truncate(sigmoid(x) * z, 12, exact=True)
    return engine.reveal("result", (kept * (x < 3.0)).sum(), to=("a",))


def go(value: float = 1.0, **options: Any) -> Run[Any]:
    return simulate(
        lambda party: program(party, value=value), ("a", "b", "helper"), disclosures=[TOLD], **options
    )


def found(run: Run[Any]) -> list[str]:
    a, b = run.views["a"], run.views["b"]
    return [*objections(secret_arrays(a)), *objections(secret_arrays(b)), *objections(opened(a, b))]


def words(run: Run[Any], name: str) -> list[np.ndarray]:
    return [s.message.words for s in run.views[name] if isinstance(s.message, ComparisonKeys)]


def test_views_are_uniform_and_the_helper_sees_nothing() -> None:
    run = go()
    assert not run.errors
    assert {type(seen.message).__name__ for seen in run.views["helper"]} == {"SignedHead"}
    assert len(words(run, "a")) == 5
    assert found(run) == []


def test_views_have_the_same_shape_whatever_is_compared() -> None:
    one, other = (
        [(s.sender, type(s.message).__name__) for s in go(value).views["b"]] for value in (1.0, -5.0)
    )
    assert one == other


def test_no_key_comes_twice() -> None:
    """Not in a run, not in two; and the values that are opened under the hidden points are fresh each time."""
    runs = [go(), go()]
    keys = [key.tobytes() for run in runs for message in words(run, "a") for key in message]
    assert len(set(keys)) == len(keys) == 10 * ROWS


def test_what_one_holder_evaluates_is_uniform() -> None:
    """Its share of the bit says nothing of the bit."""
    seen: list[np.ndarray] = []
    honest = dcf.evaluate

    def noted(*options: Any, second: bool) -> Any:
        bits = honest(*options, second=second)
        seen.append(np.array([second, bits.mean()]))
        return bits

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dcf, "evaluate", noted)
        assert not go().errors
    assert {bool(which) for which, _ in seen} == {False, True}
    assert all(abs(mean - 0.5) < 5 * 0.5 / np.sqrt(ROWS) for _, mean in seen)


# ---------------------------------------------------------------- mutants


@pytest.mark.parametrize(
    "mutant",
    [
        item
        for item in mutants("mpc-dealer")
        if "_" not in item.place.rpartition(".")[2] and item.flaw != "plaintext as ring element"
    ],
    ids=lambda mutant: mutant.name,
)
def test_masks_that_are_none_or_come_again_are_found(mutant: Mutant) -> None:
    """The point that a key hides is the mask of what is compared."""
    with mutant.applied():
        assert found(go())


@pytest.mark.parametrize("mutant", mutants("mpc-fss"), ids=lambda mutant: mutant.name)
def test_mutant_keys_are_found(mutant: Mutant) -> None:
    honest = go().results["a"]
    with mutant.applied():
        run = go()
    assert found(run)
    np.testing.assert_allclose(run.results["a"], honest, atol=1e-2)  # and nobody would have noticed


def test_a_mutant_that_uses_keys_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mask and its key come a second time for another secret: x and x' are then off by what both see."""
    first: dict[tuple[str, str, Any], Any] = {}

    def again(honest: Any, kind: str) -> Any:
        def taken(self: Dealing, *options: Any) -> Any:
            place = (self._party.name, kind, str(options[:2]))
            if place not in first:
                first[place] = honest(self, *options)
            return first[place]

        return taken

    monkeypatch.setattr(Dealing, "comparison_keys", again(Dealing.comparison_keys, "keys"))
    monkeypatch.setattr(Dealing, "uniform", again(Dealing.uniform, "mask"))
    assert found(go())


@pytest.mark.parametrize("nth", [5, 30, 60])
def test_a_flipped_bit_never_hangs(nth: int) -> None:
    seen = {"count": 0}

    def wire(parcel: Parcel) -> bytes | None:
        seen["count"] += 1
        if seen["count"] != nth:
            return parcel.payload
        data = bytearray(parcel.payload)
        data[len(data) // 2] ^= 1
        return bytes(data)

    run = go(wire=wire, timeout_s=5)
    assert all(isinstance(error, UnseenError) for error in run.errors.values())
