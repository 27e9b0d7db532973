"""What the sides of silent transfers see, mutants that these tests must find, and what a flipped byte does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import UnseenError
from unseen.kernels import ggm, lpn
from unseen.link.memory import Parcel
from unseen.ot import lpn_params, punctured, silent, softspoken
from unseen.ot.check import Challenge, Proof
from unseen.ot.punctured import Corrections
from unseen.party import Party
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import objections, secret_arrays

SMALL = lpn_params.PrimalSet("small", 8, 6, 5, 256, "for tests", "2026-11")
LARGER = lpn_params.PrimalSet("larger", 128, 12, 7, 16384, "for tests", "2026-11")
COUNT = 20_000
OWN = np.random.default_rng(0).integers(0, 2, 40, np.uint8)


@pytest.fixture(autouse=True)
def parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lpn_params, "primal", lambda name: LARGER if name == "larger" else SMALL)


def program(party: Party, security: str, name: str, count: int, choices: Any) -> Any:
    if party.name == "a":
        return silent.Sender(party, "b", security=security, parameters=name).correlated(count)  # type: ignore[arg-type]
    receiver = silent.Receiver(party, "a", security=security, parameters=name)  # type: ignore[arg-type]
    return receiver.correlated(count, choices)


def go(
    security: str = "malicious", name: str = "larger", count: int = COUNT, choices: Any = None, **options: Any
) -> Run[Any]:
    return simulate(
        lambda party: program(party, security, name, count, choices), ("a", "b"), timeout_s=20, **options
    )


def objections_to_two_runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    drawn: dict[str, list[bytes]] = {"roots": [], "positions": []}
    trees: set[bytes] = set()
    expand, puncture = ggm.expand, ggm.puncture

    def watched_expand(keys: Any, roots: Any, *args: Any, **options: Any) -> Any:
        tree = keys.tobytes() + roots.tobytes()
        if tree not in trees:  # the owner expands the same trees twice, which is not to draw them twice
            drawn["roots"].append(roots.tobytes())
        trees.add(tree)
        return expand(keys, roots, *args, **options)

    def watched_puncture(keys: Any, sums: Any, positions: Any, *args: Any, **options: Any) -> Any:
        drawn["positions"].append(positions.tobytes())
        return puncture(keys, sums, positions, *args, **options)

    monkeypatch.setattr(ggm, "expand", watched_expand)
    monkeypatch.setattr(ggm, "puncture", watched_puncture)
    found: list[str] = []
    for run in (go("semi-honest", choices=np.zeros(COUNT, np.uint8)), go("semi-honest")):
        assert not run.errors
        for side in "ab":
            found += objections(secret_arrays(run.views[side]))
        found += objections([("rows", run.results["b"].rows[:, 1:].reshape(-1))])
    if abs(run.results["b"].choices.mean() - 0.5) > 6 * 0.5 / COUNT**0.5:
        found.append("choices are not uniform")
    found += [f"{what} come twice" for what, many in drawn.items() if len(set(many)) < len(many)]
    return found


def test_views_are_uniform_and_nothing_comes_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert objections_to_two_runs(monkeypatch) == []


def _public_choices(
    self: softspoken.Receiver,
    count: int,
    choices: Any = None,
    *,
    correlated: Any = softspoken.Receiver.correlated,
) -> Any:
    return correlated(self, count, np.random.default_rng(1).integers(0, 2, count, np.uint8))


def _same_roots(party: Any, *args: Any, own: Any = punctured.own_later) -> Any:
    class Same:
        rng = property(lambda self: self)

        def bytes(self, count: int) -> bytes:
            return hashlib.shake_128(b"same").digest(count)

        def __getattr__(self, name: str) -> Any:
            return getattr(party, name)

    return own(Same(), *args)


def _no_code(key: Any, table: Any, rows: Any, first: int, *, out: Any) -> Any:
    out[:] = rows
    return rows[:, 0] & np.uint8(1)


MUTANTS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "table and noise from a public seed": (softspoken.Receiver, "correlated", _public_choices),
    "roots reused": (punctured, "own_later", _same_roots),
    "noise handed out without the table": (lpn, "primal_add", _no_code),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants_are_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, mutant = MUTANTS[name]
    monkeypatch.setattr(owner, attribute, mutant)
    assert objections_to_two_runs(monkeypatch)


def flip(kind: type, byte: int, sizes: list[int]) -> Callable[[Parcel], bytes]:
    tag = kind.__struct_config__.tag.encode()  # type: ignore[attr-defined]

    def wire(parcel: Parcel) -> bytes:
        if sizes or tag not in parcel.payload[:64]:
            return parcel.payload
        sizes.append(len(parcel.payload))
        data = bytearray(parcel.payload)
        if byte >= 0:
            data[byte] ^= 1 << (byte % 8)
        return bytes(data)

    return wire


def every_byte(kind: type, step: int) -> None:
    sizes: list[int] = []
    assert not go(name="small", count=40, wire=flip(kind, -1, sizes)).errors
    for byte in range(0, sizes[0], step):
        outcome = go(name="small", count=40, wire=flip(kind, byte, []))
        if kind is Corrections and byte % 8 == 0 and not outcome.errors:
            # The lowest bit of the last level's sum: leaves lose it, so the result is as without the change.
            sent, received = outcome.results["a"], outcome.results["b"]
            expected = sent.rows ^ sent.delta & (np.uint8(0) - received.choices)[:, None]
            np.testing.assert_array_equal(received.rows, expected)
            continue
        assert "b" not in outcome.results, f"byte {byte} of {kind.__name__}"
        assert all(isinstance(error, UnseenError) for error in outcome.errors.values())


@pytest.mark.parametrize("kind", [Corrections, Challenge, Proof])
def test_some_bytes_flipped(kind: type) -> None:
    every_byte(kind, 29)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", [Corrections, Challenge, Proof])
def test_every_byte_flipped(kind: type) -> None:
    every_byte(kind, 1)


def test_a_changed_choice_is_another_choice() -> None:
    """The one message whose change is harmless: the receiver could have sent it, having chosen otherwise."""
    sizes: list[int] = []
    go(name="small", count=40, choices=OWN, wire=flip(silent.Choices, -1, sizes))
    harmless = 0
    for byte in range(sizes[0]):
        outcome = go(name="small", count=40, choices=OWN, wire=flip(silent.Choices, byte, []))
        if "a" not in outcome.results:
            assert all(isinstance(error, UnseenError) for error in outcome.errors.values())
            continue
        sent, received = outcome.results["a"], outcome.results["b"]
        for i in range(40):
            masked = [sent.rows[i].tobytes(), (sent.rows[i] ^ sent.delta).tobytes()]
            assert received.rows[i].tobytes() in masked
        harmless += 1
    assert harmless == 5  # the bytes that carry 40 choices


def test_the_transcript_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_bytes", lambda count: bytes(range(count)))
    streams: dict[str, Any] = {"a": hashlib.sha256(), "b": hashlib.sha256()}

    def wire(parcel: Parcel) -> bytes:
        streams[parcel.sender].update(parcel.payload)
        return parcel.payload

    outcome = go(wire=wire)
    found = {name: stream.hexdigest()[:32] for name, stream in streams.items()}
    found["out"] = hashlib.sha256(outcome.results["a"].rows.tobytes()).hexdigest()[:32]
    assert found == FROZEN


FROZEN = {
    "a": "e55c5d51f0be0a1518db8a045cf4734e",
    "b": "0865fbb5e9a69ec455847aeb29beaacd",
    "out": "8a662862d73649e10d9ac529032d62b2",
}
