"""Circuits: AES-128 and SHA-256 against the standards' vectors, and Bristol Fashion files, good and bad.

The files of `data/bristol` were written by hand. Those of AES and SHA-256 are made by our own builder, written and read
again; what a circuit gives is held against the standards and against OpenSSL.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from unseen.core.errors import UsageError
from unseen.mpc.circuits import Circuit, bristol
from unseen.mpc.circuits.aes import aes128
from unseen.mpc.circuits.sha256 import INITIAL, sha256_compression

FILES = Path(__file__).parent / "data" / "bristol"
BAD = sorted(FILES.glob("bad_*.txt"))


def load(name: str) -> Circuit:
    return bristol.read((FILES / f"{name}.txt").read_text(encoding="ascii"))


def bits_of(data: bytes) -> np.ndarray:
    return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")


def bytes_of(bits: np.ndarray) -> bytes:
    return np.packbits(bits, axis=-1, bitorder="little").tobytes()


def again(circuit: Circuit) -> Circuit:
    """Written out and read in: the same circuit."""
    text = bristol.write(circuit)
    made = bristol.read(text)
    assert bristol.write(made) == text
    return made


@pytest.fixture(scope="module", params=["built", "read again"])
def aes(request: pytest.FixtureRequest) -> Circuit:
    return aes128() if request.param == "built" else again(aes128())


@pytest.fixture(scope="module", params=["built", pytest.param("read again", marks=pytest.mark.long)])
def sha(request: pytest.FixtureRequest) -> Circuit:
    return sha256_compression() if request.param == "built" else again(sha256_compression())


@pytest.mark.parametrize(
    ("key", "plain", "cipher"),
    [  # FIPS 197, appendices B and C.1
        (
            "2b7e151628aed2a6abf7158809cf4f3c",
            "3243f6a8885a308d313198a2e0370734",
            "3925841d02dc09fbdc118597196a0b32",
        ),
        (
            "000102030405060708090a0b0c0d0e0f",
            "00112233445566778899aabbccddeeff",
            "69c4e0d86a7b0430d8cdb78070b4c55a",
        ),
    ],
)
def test_aes_of_the_standard(aes: Circuit, key: str, plain: str, cipher: str) -> None:
    (made,) = aes.evaluate(bits_of(bytes.fromhex(key)), bits_of(bytes.fromhex(plain)))
    assert bytes_of(made).hex() == cipher
    assert aes.ands == 200 * 32


def test_aes_as_another_implementation(aes: Circuit) -> None:
    """Every byte of the S-box comes up."""
    rng = np.random.default_rng(1)
    key, blocks = rng.bytes(16), rng.bytes(16 * 300)
    plain = bits_of(blocks).reshape(300, 128)
    (made,) = aes.evaluate(np.broadcast_to(bits_of(key), (300, 128)), plain)
    assert bytes_of(made) == Cipher(AES(key), ECB()).encryptor().update(blocks)


def sha256(circuit: Circuit, message: bytes) -> str:
    """The padding of FIPS 180-4, section 5.1.1, and the compression function by the circuit."""
    padded = message + b"\x80" + bytes((55 - len(message)) % 64) + (8 * len(message)).to_bytes(8, "big")
    state = np.array(INITIAL, "<u4")
    for begin in range(0, len(padded), 64):
        block = np.frombuffer(padded[begin : begin + 64], ">u4").astype("<u4")
        (made,) = circuit.evaluate(bits_of(block.tobytes()), bits_of(state.tobytes()))
        state = np.frombuffer(bytes_of(made), "<u4")
    return state.astype(">u4").tobytes().hex()


@pytest.mark.parametrize(
    ("message", "digest"),
    [  # FIPS 180-4, by NIST's example values
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
    ],
)
def test_sha256_of_the_standard(sha: Circuit, message: bytes, digest: str) -> None:
    assert sha256(sha, message) == digest


def test_sha256_as_another_implementation() -> None:
    for length in (0, 55, 56):
        message = np.random.default_rng(length).bytes(length)
        assert sha256(sha256_compression(), message) == hashlib.sha256(message).hexdigest()


# ---------------------------------------------------------------------- files


def test_adder_of_two_bits() -> None:
    circuit = load("adder2")
    left, right = np.divmod(np.arange(16), 4)
    bits = [(value[:, None] >> np.arange(2) & 1).astype(np.uint8) for value in (left, right)]
    (made,) = circuit.evaluate(*bits)
    np.testing.assert_array_equal(made @ [1, 2, 4], left + right)
    assert circuit.ands == 3


def test_constants_and_copies() -> None:
    one, copy, zero = load("constants").evaluate(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.uint8))
    np.testing.assert_array_equal(one[:, 0], [1, 1, 1, 1])
    np.testing.assert_array_equal(copy[:, 0], [0, 1, 0, 1])
    np.testing.assert_array_equal(zero[:, 0], [0, 0, 0, 0])
    assert load("constants").ands == 0


def test_several_ands_in_a_line() -> None:
    left, right = np.divmod(np.arange(16), 4)
    bits = [(value[:, None] >> np.arange(2) & 1).astype(np.uint8) for value in (left, right)]
    (made,) = load("many_ands").evaluate(*bits)
    np.testing.assert_array_equal(made @ [1, 2], left & right)


def test_an_inverter_without_an_empty_line() -> None:
    (made,) = load("inverter").evaluate(np.array([[0], [1]], np.uint8))
    assert made.tolist() == [[1], [0]]


@pytest.mark.parametrize("name", ["adder2", "constants", "many_ands", "inverter"])
def test_what_is_written_is_read_as_the_same(name: str) -> None:
    again(load(name))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_files_are_refused(path: Path) -> None:
    with pytest.raises(UsageError, match="Bristol Fashion"):
        bristol.read(path.read_text(encoding="ascii"))


def test_there_are_bad_files() -> None:
    assert len(BAD) >= 20


@pytest.mark.parametrize("seed", range(100))
def test_mutated_files_are_refused_or_circuits(seed: int) -> None:
    """Whatever happens to a file, the reader answers with an error of its own or with a circuit."""
    rng = np.random.default_rng(seed)
    text = bytearray((FILES / "adder2.txt").read_bytes())
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(len(text)))
        choice = rng.integers(3)
        if choice == 0:
            text[place] = int(rng.choice(list(b"0123456789 \n-XORANDINVEQWM")))
        elif choice == 1:
            del text[place]
        else:
            text[place:place] = rng.choice(list(b"0123456789 \n"), 2).astype(np.uint8).tobytes()
    try:
        circuit = bristol.read(text.decode("ascii"))
    except UsageError:
        return
    circuit.evaluate(*(np.zeros((2, width), np.uint8) for width in circuit.inputs))
