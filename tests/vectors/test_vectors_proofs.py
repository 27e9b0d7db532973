"""Commitments and proofs written down once, checked by our code and by a second verifier in Python's integers.

`python tests/vectors/test_vectors_proofs.py` writes new ones: only when a format changes, under a new version.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import proofs_verifier as slow
import pytest

from unseen.core.errors import VerificationError
from unseen.crypto import bounds, group, norm, pedersen, scalars, sigma
from unseen.crypto import range as ranges
from unseen.crypto.transcript import Transcript

FILE = Path(__file__).parent / "data" / "proofs.json"
SESSION = b"unseen vectors"


# ---------------------------------------------------------------- ours and theirs


def ours(case: dict[str, Any]) -> None:
    proof, transcript = bytes.fromhex(case["proof"]), Transcript(bytes.fromhex(case["session"]))
    if case["kind"] == "sigma":
        sigma.verify(relation(case), proof, transcript)
    elif case["kind"] == "range":
        commitments = group.to_array([bytes.fromhex(one) for one in case["commitments"]])
        ranges.verify(ranges.Statement(commitments, case["bits"]), proof, transcript)
    elif case["kind"] == "bounds":
        of = (bytes.fromhex(case["commitment"]), case["entries"], case["low"], case["bits"])
        bounds.verify(bounds.Statement(*of), proof, transcript)
    else:
        statement = norm.Statement(bytes.fromhex(case["commitment"]), case["entries"], case["bound"])
        norm.verify(statement, proof, transcript)


def theirs(case: dict[str, Any]) -> None:
    proof, session = bytes.fromhex(case["proof"]), bytes.fromhex(case["session"])
    if case["kind"] == "sigma":
        equations = [
            (bytes.fromhex(y), [(i, bytes.fromhex(b)) for i, b in terms]) for y, terms in case["equations"]
        ]
        pieces = slow.Pieces(proof)
        slow.sigma(case["name"], case["secrets"], equations, pieces, slow.Chain(session))
        pieces.end()
    elif case["kind"] == "range":
        pieces = slow.Pieces(proof)
        slow.range_proof(
            [bytes.fromhex(one) for one in case["commitments"]], case["bits"], pieces, slow.Chain(session)
        )
        pieces.end()
    elif case["kind"] == "bounds":
        of = (bytes.fromhex(case["commitment"]), case["entries"], case["low"], case["bits"])
        slow.bounds(*of, proof, session)
    else:
        slow.norm(bytes.fromhex(case["commitment"]), case["entries"], case["bound"], proof, session)


def relation(case: dict[str, Any]) -> sigma.Relation:
    equations = tuple(
        sigma.Equation(bytes.fromhex(y), tuple((i, bytes.fromhex(base)) for i, base in terms))
        for y, terms in case["equations"]
    )
    return sigma.Relation(case["name"], case["secrets"], equations)


# ---------------------------------------------------------------- making them


def make() -> dict[str, Any]:
    session = {"session": SESSION.hex()}
    r = scalars.random_scalars(6)
    g, h = pedersen.VALUE, pedersen.BLINDING
    left, right = pedersen.commit(-7, r[0]), pedersen.commit(-7, r[1])
    logs = [
        group.sum_of_products(scalars.to_rows([r[2]]), group.to_array([base]), sender="us") for base in (g, h)
    ]
    relations = {
        "schnorr": (sigma.discrete_log(logs[0]), [r[2]]),
        "okamoto": (sigma.representation(left, [g, h]), [-7, r[0]]),
        "chaum-pedersen": (sigma.equal_logs(logs, [g, h]), [r[2]]),
        "equal numbers": (sigma.equal_values(left, right), [-7, r[0], r[1]]),
    }
    good: dict[str, Any] = {}
    for name, (one, secrets) in relations.items():
        equations = [[e.image.hex(), [[i, base.hex()] for i, base in e.terms]] for e in one.equations]
        proof = sigma.prove(one, secrets, Transcript(SESSION))
        good[name] = {
            "kind": "sigma",
            "name": one.name,
            "secrets": one.secrets,
            "equations": equations,
            **session,
        }
        good[name]["proof"] = proof.hex()
    for name, values, bits in (
        ("one bit", [1], 1),
        ("8 bits", [200], 8),
        ("three of 5 bits", [0, 31, 17], 5),
    ):
        blinds = scalars.random_scalars(len(values))
        commitments = pedersen.commit_each(values, blinds)
        proof = ranges.prove(ranges.Statement(commitments, bits), values, blinds, Transcript(SESSION))
        rows = [row.tobytes().hex() for row in commitments]
        good[name] = {"kind": "range", "commitments": rows, "bits": bits, **session, "proof": proof.hex()}
    values = [3, -4, 5, 0, -1]
    statement = norm.Statement(pedersen.commit_vector(values, r[3]), len(values), 51)
    proof = norm.prove(statement, values, r[3], Transcript(SESSION))
    good["norm"] = {
        "kind": "norm",
        "commitment": statement.commitment.hex(),
        "entries": 5,
        "bound": 51,
        **session,
    }
    good["norm"]["proof"] = proof.hex()
    for name, some in (("bounds", [1, -2, 0]), ("bounds of one", [-1])):
        commitment = pedersen.commit_vector(some, r[4])
        proof = bounds.prove(bounds.Statement(commitment, len(some), -2, 2), some, r[4], Transcript(SESSION))
        good[name] = {
            "kind": "bounds",
            "commitment": commitment.hex(),
            "entries": len(some),
            "low": -2,
            "bits": 2,
        }
        good[name] |= {**session, "proof": proof.hex()}
    pairs = [[v, b] for v, b in zip((0, 1, -1, 2**64 - 1), r, strict=False)]
    return {
        "pedersen": [
            {"value": str(v), "blind": str(b), "commitment": pedersen.commit(v, b).hex()} for v, b in pairs
        ],
        "vector": {
            "values": values,
            "blind": str(r[3]),
            "commitment": statement.commitment.hex(),
        },
        "good": good,
        "bad": {
            f"bad {name}: {what}": [name, change]
            for name, one in good.items()
            for what, change in spoilt(one)
        },
    }


def spoilt(case: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every field changed, alone; of proofs every piece (of the masked sums the first)."""
    out: list[tuple[str, dict[str, Any]]] = [("another session", {"session": (SESSION + b"!").hex()})]
    proof = bytes.fromhex(case["proof"])
    skip = range(4, 59) if case["kind"] == "norm" else range(0)
    out += [(f"piece {at // 32}", {"flip": at}) for at in range(0, len(proof), 32) if at // 32 not in skip]
    last = int.from_bytes(proof[-32:], "little") + scalars.ORDER
    out.append(("a number above the order", {"cut": 32, "append": last.to_bytes(32, "little").hex()}))
    out.append(("a byte too many", {"append": "00"}))
    out.append(("a byte too few", {"cut": 1}))
    other = pedersen.commit(5, 5).hex()
    if case["kind"] == "sigma":
        image, terms = case["equations"][0]
        rest = case["equations"][1:]
        out.append(("another element", {"equations": [[other, terms], *rest]}))
        out.append(("another base", {"equations": [[image, [[0, other], *terms[1:]]], *rest]}))
        out.append(("another name", {"name": "other"}))
    elif case["kind"] == "range":
        out.append(("another commitment", {"commitments": [other, *case["commitments"][1:]]}))
        out.append(("other bits", {"bits": case["bits"] + 1}))
    elif case["kind"] == "bounds":
        out.append(("another commitment", {"commitment": other}))
        out.append(("more entries", {"entries": case["entries"] + 1}))
        out.append(("another low", {"low": case["low"] - 1}))
        out.append(("other bits", {"bits": case["bits"] + 1}))
    else:
        out.append(("another commitment", {"commitment": other}))
        out.append(("a smaller bound", {"bound": case["bound"] - 1}))
        out.append(("fewer entries", {"entries": case["entries"] - 1}))
    return out


def changed(name: str) -> dict[str, Any]:
    """A bad vector in full."""
    of, change = VECTORS["bad"][name]
    case = {**VECTORS["good"][of], **change}
    proof = bytearray.fromhex(case["proof"])
    if "flip" in change:
        proof[change["flip"]] ^= 4
    proof = proof[: len(proof) - change.get("cut", 0)] + bytes.fromhex(change.get("append", ""))
    return {**case, "proof": proof.hex()}


# ---------------------------------------------------------------- tests

VECTORS: dict[str, Any] = (
    json.loads(FILE.read_text()) if FILE.exists() else {"good": {}, "bad": {}, "pedersen": []}
)


@pytest.mark.parametrize("case", VECTORS["pedersen"], ids=lambda case: case["value"])
def test_commitments(case: dict[str, str]) -> None:
    value, blind = int(case["value"]), int(case["blind"])
    assert pedersen.commit(value, blind).hex() == case["commitment"]
    assert slow.encoded(slow.summed((value, slow.VALUE), (blind, slow.BLINDING))).hex() == case["commitment"]


def test_commitments_to_vectors() -> None:
    case = VECTORS["vector"]
    blind, bases = int(case["blind"]), slow.bases("left", len(case["values"]))
    assert pedersen.commit_vector(case["values"], blind).hex() == case["commitment"]
    point = slow.summed((blind, slow.BLINDING), *zip(case["values"], bases, strict=True))
    assert slow.encoded(point).hex() == case["commitment"]


def test_the_bases_are_hashes_of_published_strings() -> None:
    assert [slow.encoded(base) for base in (slow.VALUE, slow.BLINDING, slow.PRODUCT)] == [
        pedersen.VALUE,
        pedersen.BLINDING,
        pedersen.PRODUCT,
    ]
    for family in (pedersen.LEFT, pedersen.RIGHT):
        assert [slow.encoded(p) for p in slow.bases(family.decode(), 4)] == list(
            map(bytes, pedersen.bases(4, family))
        )


@pytest.mark.parametrize("verify", [ours, theirs])
@pytest.mark.parametrize("name", VECTORS["good"])
def test_good_proofs(name: str, verify: Callable[[dict[str, Any]], None]) -> None:
    verify(VECTORS["good"][name])


@pytest.mark.parametrize("name", VECTORS["bad"])
def test_bad_proofs(name: str) -> None:
    with pytest.raises(VerificationError):
        ours(changed(name))


@pytest.mark.long
@pytest.mark.parametrize("name", VECTORS["bad"])
def test_bad_proofs_by_the_second_verifier(name: str) -> None:
    with pytest.raises(slow.RefusedError):
        theirs(changed(name))


if __name__ == "__main__":
    FILE.write_text(json.dumps(make(), indent=1) + "\n")
