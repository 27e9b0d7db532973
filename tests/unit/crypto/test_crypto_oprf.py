"""Oblivious pseudo-random functions: any batch, and proofs that hold for nothing else."""

from __future__ import annotations

import secrets

import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, VerificationError
from unseen.crypto import group, oprf
from unseen.crypto.oprf import OprfMode

MODE = OprfMode.VOPRF
KEY = oprf.derive_key(bytes(32), b"test", MODE)
PUBLIC = oprf.public_key(KEY)


def inputs(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, 32), np.uint8)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 33])
@pytest.mark.parametrize("mode", list(OprfMode))
def test_client_and_server_agree(count: int, mode: OprfMode) -> None:
    x, r = inputs(count), oprf.blinds(count)
    evaluated = oprf.blind_evaluate(KEY, oprf.blind(x, r, mode), sender="client")
    outputs = oprf.finalize(x, r, evaluated, sender="server")
    np.testing.assert_array_equal(outputs, oprf.evaluate(KEY, x, mode))
    assert len({row.tobytes() for row in outputs}) == count


def test_modes_keys_and_inputs_are_apart() -> None:
    x, other = inputs(1), oprf.derive_key(bytes(32), b"other", MODE)
    found = {
        oprf.evaluate(KEY, x, OprfMode.OPRF).tobytes(),
        oprf.evaluate(KEY, x, OprfMode.VOPRF).tobytes(),
        oprf.evaluate(other, x, MODE).tobytes(),
        oprf.evaluate(KEY, x[:, :31], MODE).tobytes(),
    }
    assert len(found) == 4


def test_requests_for_the_same_input_do_not_look_alike() -> None:
    x = inputs(1)
    assert len({oprf.blind(x, oprf.blinds(1), MODE).tobytes() for _ in range(50)}) == 50


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_a_proof_holds_for_what_was_proved_alone(count: int) -> None:
    blinded = oprf.blind(inputs(count), oprf.blinds(count), MODE)
    evaluated = oprf.blind_evaluate(KEY, blinded, sender="client")
    proof = oprf.prove(KEY, blinded, evaluated)
    oprf.verify(PUBLIC, blinded, evaluated, proof, sender="server")
    other = oprf.public_key(oprf.derive_key(bytes(32), b"other", MODE))
    swapped = evaluated[::-1] if count > 1 else group.add(evaluated, evaluated, sender="x")
    order = (2**252 + 27742317777372353535851937790883648493).to_bytes(32, "little")
    plus = (int.from_bytes(proof[32:], "little") + int.from_bytes(order, "little")).to_bytes(32, "little")
    wrong = {
        "public key": (other, blinded, evaluated, proof),
        "answers": (PUBLIC, blinded, swapped, proof),
        "requests": (PUBLIC, oprf.blind(inputs(count), oprf.blinds(count), MODE), evaluated, proof),
        "fewer answers": (PUBLIC, blinded, evaluated[1:], proof),
        "no answers": (PUBLIC, blinded[:0], evaluated[:0], proof),
        "half a proof": (PUBLIC, blinded, evaluated, proof[:32]),
        "zeros": (PUBLIC, blinded, evaluated, bytes(64)),
        "not reduced": (PUBLIC, blinded, evaluated, proof[:32] + plus),
        "identity": (bytes(32), blinded, evaluated, proof),
        "no element": (PUBLIC, blinded, evaluated | np.uint8(1), proof),
    }
    for public, one, two, text in wrong.values():
        with pytest.raises(VerificationError, match="mallory"):
            oprf.verify(public, one, two, text, sender="mallory")


def test_every_bit_of_a_proof_counts() -> None:
    blinded = oprf.blind(inputs(2), oprf.blinds(2), MODE)
    evaluated = oprf.blind_evaluate(KEY, blinded, sender="client")
    proof = oprf.prove(KEY, blinded, evaluated)
    for _ in range(60):
        bit = secrets.randbelow(512)
        changed = bytearray(proof)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VerificationError):
            oprf.verify(PUBLIC, blinded, evaluated, bytes(changed), sender="mallory")


def test_one_answer_of_many_under_another_key_is_found() -> None:
    other = oprf.derive_key(bytes(32), b"other", MODE)
    blinded = oprf.blind(inputs(9), oprf.blinds(9), MODE)
    evaluated = oprf.blind_evaluate(KEY, blinded, sender="client").copy()
    evaluated[4] = oprf.blind_evaluate(other, blinded[4:5], sender="client")[0]
    with pytest.raises(VerificationError):
        oprf.verify(PUBLIC, blinded, evaluated, oprf.prove(KEY, blinded, evaluated), sender="mallory")


def test_bad_elements_are_refused_with_the_senders_name() -> None:
    x, r = inputs(2), oprf.blinds(2)
    bad = np.zeros((2, 32), np.uint8)
    with pytest.raises(RemoteProtocolError, match="mallory"):
        oprf.blind_evaluate(KEY, bad, sender="mallory")
    with pytest.raises(RemoteProtocolError, match="mallory"):
        oprf.finalize(x, r, bad, sender="mallory")
    with pytest.raises(RemoteProtocolError, match="mallory"):
        oprf.finalize(x, r, oprf.blind(x, r, MODE)[:1], sender="mallory")


def test_seeds() -> None:
    with pytest.raises(LocalProtocolError):
        oprf.derive_key(bytes(31), b"", MODE)
    with pytest.raises(LocalProtocolError):
        oprf.prove(KEY, inputs(0), inputs(0))
