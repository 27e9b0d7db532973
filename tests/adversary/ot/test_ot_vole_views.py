"""What the sides of VOLE see, mutants that these tests must find, and what a flipped byte does."""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import RemoteProtocolError, UnseenError
from unseen.kernels import ggm
from unseen.link.memory import Parcel
from unseen.ot import lpn_params, punctured, softspoken, vole
from unseen.ot.check import Challenge, Proof
from unseen.ot.correlation import ReceiverCorrelation
from unseen.ot.punctured import Corrections
from unseen.ot.vole import DeltaSide, VectorSide
from unseen.party import Party
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import objections, secret_arrays

COUNT = 2500
SMALL_SET = lpn_params.DualSet("bac-3x32-weighted", 1, 4, 0.2, "for tests", "2026-11")


def program(party: Party, security: str = "malicious", counts: tuple[int, ...] = (COUNT, COUNT)) -> list[Any]:
    if party.name == "a":
        vector = VectorSide(party, "b", security=security)  # type: ignore[arg-type]
        return [vector.expand(count) for count in counts]
    delta = DeltaSide(party, "a", security=security)  # type: ignore[arg-type]
    return [delta.expand(count) for count in counts]


def go(security: str = "malicious", **options: Any) -> Run[Any]:
    outcome = simulate(lambda party: program(party, security), ("a", "b"), **options)
    if outcome.errors:
        raise next(iter(outcome.errors.values()))
    return outcome


class Watch:
    """What the parties draw and hide in two runs of two calls: none of it may come twice, and it must be hidden."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.drawn: dict[str, list[bytes]] = defaultdict(list)
        self.sums: list[bytes] = []
        expand, puncture = ggm.expand, ggm.puncture

        def watched_expand(keys: Any, roots: Any, *args: Any, **options: Any) -> Any:
            rows, sums, totals = expand(keys, roots, *args, **options)
            self.drawn["tree keys"].append(keys.tobytes())
            self.drawn["roots"].append(roots.tobytes())
            self.sums.append(sums.tobytes())
            return rows, sums, totals

        def watched_puncture(
            keys: Any, sums: Any, positions: Any, corrections: Any, noise: Any, **options: Any
        ) -> Any:
            self.drawn["noise positions"].append(positions.tobytes())
            self.drawn["noise values"].append(noise.tobytes())
            return puncture(keys, sums, positions, corrections, noise, **options)

        monkeypatch.setattr(ggm, "expand", watched_expand)
        monkeypatch.setattr(ggm, "puncture", watched_puncture)

    def objections(self, security: str = "semi-honest") -> list[str]:
        runs = [go(security=security), go(security=security)]
        found: list[str] = []
        for run in runs:
            for side in "ab":
                found += objections(secret_arrays(run.views[side]))
            for vector in run.results["a"]:
                found += objections([("a", vector.a.reshape(-1)), ("c", vector.c.reshape(-1))])
            sent = [s.message.levels for s in run.views["a"] if isinstance(s.message, Corrections)]
            for levels, sums in itertools.product(sent, self.sums):
                if len(sums) == levels.nbytes:
                    plain = np.frombuffer(sums, np.uint8)
                    found += objections([("masks of level sums", levels.reshape(-1) ^ plain)])
        found += [f"{what} come twice" for what, many in self.drawn.items() if len(set(many)) < len(many)]
        return found


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_views_are_uniform_and_nothing_comes_twice(security: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Watch(monkeypatch).objections(security) == []


def _public_choices(
    self: softspoken.Receiver,
    count: int,
    choices: Any = None,
    *,
    correlated: Any = softspoken.Receiver.correlated,
) -> ReceiverCorrelation:
    """Noise (values and positions) from a public seed."""
    public = np.random.default_rng(1).integers(0, 2, count, np.uint8)
    return correlated(self, count, public if choices is None else choices)  # type: ignore[no-any-return]


def _same_positions(
    self: softspoken.Receiver,
    count: int,
    choices: Any = None,
    *,
    correlated: Any = softspoken.Receiver.correlated,
) -> ReceiverCorrelation:
    """Positions the same in every run, values fresh."""
    size = lpn_params.dual_size(lpn_params.dual(), COUNT)
    fresh = np.random.default_rng().integers(0, 2, count, np.uint8)
    fresh[: size.trees * size.depth] = 1
    return correlated(self, count, fresh)  # type: ignore[no-any-return]


def _same_keys(party: Party, peer: str, label: str) -> Any:
    return np.zeros((3, 16), np.uint8)


def _no_mask(self: softspoken.Sender, count: int, *, correlated: Any = softspoken.Sender.correlated) -> Any:
    made = correlated(self, count)
    made.rows[:] = 0
    return made


class _SameRoots:
    """A party whose masks are the same in every run."""

    def __init__(self, party: Party) -> None:
        self._party = party
        self.rng = self

    def bytes(self, count: int) -> bytes:
        return hashlib.shake_128(b"same").digest(count)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._party, name)


def _same_roots(party: Any, *args: Any, own: Any = punctured.own) -> Any:
    return own(_SameRoots(party), *args)


MUTANTS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "noise from a public seed": (softspoken.Receiver, "correlated", _public_choices),
    "the same noise positions in two runs": (softspoken.Receiver, "correlated", _same_positions),
    "tree keys reused": (punctured, "public_keys", _same_keys),
    "roots reused": (punctured, "own", _same_roots),
    "level sums in clear": (softspoken.Sender, "correlated", _no_mask),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants_are_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, mutant = MUTANTS[name]
    monkeypatch.setattr(owner, attribute, mutant)
    assert Watch(monkeypatch).objections()


def flip(kind: type, byte: int) -> Callable[[Parcel], bytes]:
    """A wire that changes one byte of the first message of that kind."""
    tag = kind.__struct_config__.tag.encode()  # type: ignore[attr-defined]
    state = {"done": False}

    def wire(parcel: Parcel) -> bytes:
        if state["done"] or tag not in parcel.payload[:64]:
            return parcel.payload
        state["done"] = True
        data = bytearray(parcel.payload)
        data[byte % len(data)] ^= 1 << (byte % 8)
        return bytes(data)

    return wire


def size_of(kind: type) -> int:
    sizes: list[int] = []
    tag = kind.__struct_config__.tag.encode()  # type: ignore[attr-defined]

    def wire(parcel: Parcel) -> bytes:
        if tag in parcel.payload[:64]:
            sizes.append(len(parcel.payload))
        return parcel.payload

    assert not simulate(lambda party: program(party, counts=(10,)), ("a", "b"), wire=wire).errors
    return sizes[0]


# A change of softspoken.Corrections is a guess that eight bits of Delta are zero, right once in 256 times; see its tests.
KINDS = [Corrections, Challenge, Proof, softspoken.Challenge, softspoken.Answer]


def every_byte(monkeypatch: pytest.MonkeyPatch, kind: type, step: int) -> None:
    """No flip leaves the vector side with a result. The other side may end: its b does not depend on what it hears."""
    monkeypatch.setattr(lpn_params, "dual", lambda: SMALL_SET)
    monkeypatch.setattr(vole, "SMALL", 0)
    for byte in range(0, size_of(kind), step):
        outcome = simulate(
            lambda party: program(party, counts=(10,)), ("a", "b"), wire=flip(kind, byte), timeout_s=20
        )
        assert "a" not in outcome.results, f"byte {byte} of {kind.__name__}"
        assert all(isinstance(error, UnseenError) for error in outcome.errors.values())


@pytest.mark.parametrize("kind", KINDS)
def test_some_bytes_flipped(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    every_byte(monkeypatch, kind, 1 if kind in {Challenge, Proof} else 101)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_every_byte_flipped(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    every_byte(monkeypatch, kind, 1)


def test_a_side_that_failed_gives_nothing_more() -> None:
    def body(party: Party) -> Any:
        side = (VectorSide if party.name == "a" else DeltaSide)(
            party, "b" if party.name == "a" else "a", security="malicious"
        )
        try:
            side.expand(COUNT)
        except RemoteProtocolError:
            return side.expand(COUNT)
        return None

    outcome = simulate(body, ("a", "b"), wire=flip(Proof, 60))
    assert "no further use" in str(outcome.errors["a"])


def test_malicious_sides_rest_on_malicious_transfers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others shipped malicious silent transfers on semi-honest ones."""
    made: list[str] = []
    for name in ("Sender", "Receiver"):
        original = getattr(softspoken, name)

        def spy(*args: Any, original: Any = original, **options: Any) -> Any:
            made.append(options["security"])
            return original(*args, **options)

        monkeypatch.setattr(softspoken, name, spy)
    go()
    assert made == ["malicious", "malicious"]


def test_the_transcript_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """With fixed randomness, every byte on the wire is as when this was written: a changed encoding does not slip in."""
    monkeypatch.setattr("secrets.token_bytes", lambda count: bytes(range(count)))
    streams: dict[str, Any] = {"a": hashlib.sha256(), "b": hashlib.sha256()}

    def wire(parcel: Parcel) -> bytes:
        streams[parcel.sender].update(parcel.payload)
        return parcel.payload

    outcome = go(wire=wire)
    found = {name: stream.hexdigest()[:32] for name, stream in streams.items()}
    found["out"] = hashlib.sha256(outcome.results["a"][1].c.tobytes()).hexdigest()[:32]
    assert found == FROZEN


FROZEN = {
    "a": "2c2474720ab96d658da46bb5f6e5a1c1",
    "b": "9128f32407eaf4a025d619b624fbb5e3",
    "out": "724522601e960b6591064c27a20d7e1b",
}
