"""Oblivious PRF: what each side sees, liars on either side, and mutants that these tests must find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import RemoteProtocolError, UnseenError, VerificationError
from unseen.crypto import group
from unseen.crypto import oprf as prf
from unseen.crypto.oprf import OprfMode
from unseen.link.memory import Parcel
from unseen.party import Disclosure, Door, Party
from unseen.psi import intersect
from unseen.psi.protocol import Mode
from unseen.psi.protocols import oprf
from unseen.psi.table import Table, prepare
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import deviation

TOLD = [
    Disclosure("intersection", "common rows", ("a", "b"), Door.RELEASE),
    Disclosure("lookup", "labels", ("a", "b"), Door.RELEASE, times=9),
]
MATCHED = 5  # two sizes, requests, answers, tags, bits
KEY = prf.derive_key(bytes(32), b"test", OprfMode.VOPRF)
OTHER = prf.derive_key(bytes(32), b"other", OprfMode.VOPRF)


def ids(numbers: Any) -> np.ndarray:
    out = np.zeros((len(numbers), 32), np.uint8)
    out[:, :8] = np.array(list(numbers), np.uint64).reshape(-1, 1).view(np.uint8)
    return out


def go(left: np.ndarray, right: np.ndarray, **options: Any) -> Run[Any]:
    sets = {"a": left, "b": right}
    return simulate(
        lambda party: intersect(party, sets[party.name], holders=("a", "b"), to=("a", "b"), method="oprf"),
        ("a", "b"),
        disclosures=TOLD,
        timeout_s=5,
        **options,
    )


def of_kind(run: Run[Any], receiver: str, kind: Any) -> list[Any]:
    return [seen.message for seen in run.views[receiver] if isinstance(seen.message, kind)]


def as_set(rows: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in rows}


def leaks() -> list[str]:
    x, y = ids(range(100)), ids(range(0, 400, 2))
    one, other = go(x, y), go(x, y)
    asked, again = (of_kind(run, "b", oprf.Blinded)[0].elements for run in (one, other))
    tags, later = (of_kind(run, "a", oprf.Tags)[0].tags.value for run in (one, other))
    found = []
    single = [of_kind(go(x[:1], y), "b", oprf.Blinded)[0].elements for _ in range(2)]
    if as_set(asked) & as_set(again) or as_set(single[0]) & as_set(single[1]):
        found.append("two requests for one id look alike")
    if as_set(asked) & as_set(prf._hashed(x, OprfMode.OPRF)):
        found.append("an id that anybody can compute")
    if as_set(tags) & as_set(later):
        found.append("the same tag in two runs")
    if list(one.results["b"].rows) == sorted(one.results["b"].rows):
        found.append("the order of the server's table")
    return found


def test_nothing_shows() -> None:
    assert leaks() == []


def test_what_is_seen_depends_on_the_sizes_alone() -> None:
    one = go(ids(range(250)), ids(range(200, 600)))
    other = go(ids(range(9000, 9250)), ids(range(9200, 9600)))
    for receiver in ("a", "b"):
        kinds = [[type(seen.message) for seen in run.views[receiver]] for run in (one, other)]
        assert kinds[0] == kinds[1]
    for run in (one, other):
        elements = of_kind(run, "b", oprf.Blinded)[0].elements
        assert elements.shape == (250, 32)
        assert deviation(elements[:, 1:31].reshape(-1)) < 6  # an element is even, and below 2^255
        assert deviation(of_kind(run, "a", oprf.Tags)[0].tags.value[:, 2:].reshape(-1)) < 6


def test_requests_are_uniform_over_many_runs() -> None:
    requests = [prf.blind(ids([7]), prf.blinds(1), OprfMode.OPRF) for _ in range(300)]
    together = np.concatenate(requests)
    assert len(as_set(together)) == 300
    assert deviation(together[:, 1:31].reshape(-1)) < 6


def test_mutant_blinds_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed = prf.blinds(100)
    monkeypatch.setattr(prf, "blinds", lambda count: fixed[:count])
    assert "two requests for one id look alike" in leaks()


def test_mutant_blind_one(monkeypatch: pytest.MonkeyPatch) -> None:
    one = np.zeros((1, 32), np.uint8)
    one[0, 0] = 1
    monkeypatch.setattr(prf, "blinds", lambda count: np.repeat(one, count, axis=0))
    assert "an id that anybody can compute" in leaks()


def test_mutant_one_key_for_all_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = iter(lambda: KEY, None)
    random, blinds = group.scalar_random, prf.blinds
    monkeypatch.setattr(prf, "blinds", lambda n: group.to_array([random() for _ in range(n)]))
    monkeypatch.setattr(group, "scalar_random", lambda: next(keys))
    assert blinds is not prf.blinds
    assert "the same tag in two runs" in leaks()


def test_mutant_tags_not_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tags in the order of the table would show it, so the client refuses them."""
    monkeypatch.setattr(oprf, "sort_tags", lambda rows: (rows, np.arange(len(rows))))
    outcome = go(ids(range(10)), ids(range(5, 25)))
    assert isinstance(outcome.errors["a"], RemoteProtocolError)


@pytest.mark.parametrize("nth", range(6))
@pytest.mark.parametrize("place", [0, 3, 5, 20, 60, -1])
def test_a_flipped_bit_ends_in_an_error_or_another_result(nth: int, place: int) -> None:
    count = {"seen": 0}

    def wire(parcel: Parcel) -> bytes:
        data = bytearray(parcel.payload)
        if count["seen"] == nth and place < len(data):
            data[place] ^= 0x10
        count["seen"] += 1
        return bytes(data)

    outcome = go(ids(range(20)), ids(range(10, 40)), wire=wire)
    assert all(isinstance(error, UnseenError) for error in outcome.errors.values())
    for name, aligned in outcome.results.items():
        if nth != MATCHED or name == "a":  # which of its ids matched, the server has to believe
            assert set(aligned.rows) <= set(range(10, 20) if name == "a" else range(10))


BAD = {
    "identity": np.zeros(32, np.uint8),
    "all ones": np.full(32, 255, np.uint8),
    "negative": np.array([1] + [0] * 31, np.uint8),
    "top bit": group.from_uniform(np.zeros((1, 64), np.uint8))[0] | np.array([0] * 31 + [128], np.uint8),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("role", ["client", "server"])
def test_what_is_no_element_is_refused_with_the_senders_name(kind: str, role: str) -> None:
    elements = group.from_uniform(np.random.default_rng(0).integers(0, 256, (3, 64), np.uint8)).copy()
    elements[1] = BAD[kind]

    def program(party: Party) -> Any:
        sizes = {"a": 3, "b": 3}
        if party.name == "a":
            to = ("b",) if role == "client" else ("a",)  # who gets the result is the client
            return oprf.intersect(party, ids(range(3)), sizes=sizes, to=to, mode=Mode())
        if role == "client":
            party.send("a", oprf.Blinded(elements))
            return party.recv("a", oprf.Evaluated)
        party.recv("a", oprf.Blinded)
        return party.send("a", oprf.Evaluated(elements))

    outcome = simulate(program, ("a", "b"), disclosures=TOLD, timeout_s=5)
    error = outcome.errors["a"]
    assert isinstance(error, RemoteProtocolError)
    assert error.party == "b"


# ---------------------------------------------------------------- look-ups


def look_up(serving: Any, **options: Any) -> Run[Any]:
    """`serving` in place of the server; the client asks for 1, which is in the set, and 99, which is not."""

    def program(party: Party) -> Any:
        return serving(party) if party.name == "b" else oprf.query(party, "b", ids([1, 99]), **options)

    return simulate(program, ("a", "b"), disclosures=TOLD, timeout_s=5)


def table_of(key: bytes = KEY, mode: OprfMode = OprfMode.VOPRF) -> Table:
    return prepare(key, ids(range(5)), [b"label"] * 5, version=1, mode=mode)


def honest(party: Party) -> int:
    return oprf.serve(party, "a", table_of(), KEY, most=9)


def test_an_honest_server_is_believed() -> None:
    assert look_up(honest, public=prf.public_key(KEY)).results["a"].labels == [b"label", None]


def test_another_key_than_that_of_the_table_is_found_with_proofs_alone() -> None:
    """Without proofs the client misses its matches and does not know."""
    outcome = look_up(lambda party: oprf.serve(party, "a", table_of(), OTHER, most=9))
    assert isinstance(outcome.errors["a"], VerificationError)
    unproved = table_of(mode=OprfMode.OPRF)
    outcome = look_up(lambda party: oprf.serve(party, "a", unproved, OTHER, most=9))
    assert outcome.results["a"].labels == [None, None]


def test_a_key_for_each_client_is_found_by_who_knows_the_public_key() -> None:
    def serving(party: Party) -> int:
        return oprf.serve(party, "a", table_of(OTHER), OTHER, most=9)

    assert look_up(serving).results["a"].labels == [b"label", None]
    assert isinstance(look_up(serving, public=prf.public_key(KEY)).errors["a"], VerificationError)


@pytest.mark.parametrize("change", ["proof", "answer", "no proof", "swapped", "digest", "size"])
def test_each_lie_in_an_answer_is_found(change: str) -> None:
    table = table_of()

    def serving(party: Party) -> None:
        party.recv("a", oprf.Request)
        stored = table.to_bytes()
        digest = bytes(32) if change == "digest" else table.digest
        party.send("a", oprf.Offer(digest, (1 << 40) if change == "size" else len(stored)))
        party.send("a", oprf.TablePiece(np.frombuffer(stored, np.uint8)))
        blinded = party.recv("a", oprf.Blinded).elements
        evaluated = prf.blind_evaluate(KEY, blinded, sender="a")
        proof = prf.prove(KEY, blinded, evaluated)
        if change == "proof":
            proof = proof[:5] + bytes([proof[5] ^ 1]) + proof[6:]
        if change == "answer":
            evaluated = prf.blind_evaluate(OTHER, blinded, sender="a")
        if change == "swapped":
            evaluated = evaluated[::-1]
        told = party.release("lookup", evaluated, to=("a",), elements=2)
        party.send("a", oprf.Answer(told, [] if change == "no proof" else [proof]))

    outcome = look_up(serving)
    error = outcome.errors["a"]
    assert isinstance(error, VerificationError | RemoteProtocolError)
    assert error.party == "b"


def test_an_answer_of_an_earlier_query_does_not_fit() -> None:
    recorded: list[bytes] = []
    tag = b"psi-oprf.answer"

    def record(parcel: Parcel) -> bytes:
        if tag in parcel.payload[:80]:
            recorded.append(parcel.payload)
            return recorded[0]
        return parcel.payload

    def program(party: Party) -> Any:
        if party.name == "b":
            for _ in range(2):
                oprf.serve(party, "a", table, KEY, most=9)
            return None
        first = oprf.query(party, "b", ids([1]))
        assert first.labels == [b"label"]
        return oprf.query(party, "b", ids([1]), have=first.table)

    table = table_of()
    outcome = simulate(program, ("a", "b"), disclosures=TOLD, wire=record, timeout_s=5)
    assert len(recorded) == 2
    assert isinstance(outcome.errors["a"], VerificationError)


def test_queries_of_one_client_are_not_linked() -> None:
    table = table_of()

    def program(party: Party) -> Any:
        if party.name == "b":
            return [oprf.serve(party, "a", table, KEY, most=9) for _ in range(2)]
        return [oprf.query(party, "b", ids([1]), have=table) for _ in range(2)]

    outcome = simulate(program, ("a", "b"), disclosures=TOLD, timeout_s=5)
    one, other = (message.elements for message in of_kind(outcome, "b", oprf.Blinded))
    assert not as_set(one) & as_set(other)
