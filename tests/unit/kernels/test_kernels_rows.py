"""Digests of rows: FIPS 180-4's own messages, hashlib, and today's identifiers."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.kernels import rows
from unseen.kernels.reference import rows as reference

several = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def column(pieces: list[bytes], dtype: type = np.int32, skip: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The pieces as offsets and bytes, with `skip` bytes of something else before them."""
    offsets = np.cumsum([skip, *(len(piece) for piece in pieces)]).astype(dtype)
    return offsets, np.frombuffer(b"\xa5" * skip + b"".join(pieces), np.uint8)


# FIPS 180-4 with NIST's examples: one block, two blocks, and a million letters (in one row, of no declared length).
@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (b"a" * 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ],
)
def test_fips_180(instruction_set: str, message: bytes, digest: str) -> None:
    """The kernel puts a length after the domain: the vector holds for hashlib, and the kernel agrees with that."""
    assert hashlib.sha256(message).hexdigest() == digest
    for domain, value in [(message, b""), (b"", message)]:
        expected = hashlib.sha256(domain + len(value).to_bytes(4, "big") + value).hexdigest()
        assert rows.digest_rows(domain, [column([value])])[0].tobytes().hex() == expected


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@several
@given(
    st.lists(st.lists(st.binary(max_size=150), min_size=2, max_size=2), max_size=40),
    st.binary(max_size=80),
    st.integers(0, 9),
)
def test_equals_the_definition(
    instruction_set: str, dtype: type, values: list[list[bytes]], domain: bytes, skip: int
) -> None:
    first, second = column([v[0] for v in values], dtype, skip), column([v[1] for v in values])
    for columns in ([first], [first, second]):
        np.testing.assert_array_equal(
            rows.digest_rows(domain, columns), reference.digest_rows(domain, columns)
        )


def test_every_length(instruction_set: str) -> None:
    """Every place of the padding, and rows too long to stand beside others."""
    pieces = [bytes([i % 251]) * i for i in range(700)]
    expected = reference.digest_rows(b"", [column(pieces)])
    np.testing.assert_array_equal(rows.digest_rows(b"", [column(pieces)]), expected)
    order = np.random.default_rng(1).permutation(700)
    mixed = column([pieces[i] for i in order])
    np.testing.assert_array_equal(rows.digest_rows(b"", [mixed]), expected[order])


def test_identifiers_of_version_1(instruction_set: str) -> None:
    """The bytes that identifiers had before there was a kernel: domain, then each value behind its length."""
    values = [("ann", "7"), ("böb", "12"), ("", "x" * 99), ("数据", "0")]
    columns = []
    for place in range(2):
        array = pa.array([value[place] for value in values], pa.large_string())
        _, offsets, data = array.buffers()
        columns.append((np.frombuffer(offsets, np.int64)[: len(values) + 1], np.frombuffer(data, np.uint8)))
    digests = rows.digest_rows(b"unseen/identifier/v1\n", columns)
    assert digests[0].tobytes().hex() == ("351b196ef7e9dcf950a00432b3615e6ba480d3596adb901d37192a8caf7620af")
    for digest, value in zip(digests, values, strict=True):
        joined = b"".join(len(text.encode()).to_bytes(4, "big") + text.encode() for text in value)
        assert digest.tobytes() == hashlib.sha256(b"unseen/identifier/v1\n" + joined).digest()


BAD = {
    "ascend": ([0, 3, 2], b"abc"),
    "0 or more": ([-1, 2], b"abc"),
    "leave": ([0, 4], b"abc"),
    "never none": ([], b"abc"),
}


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("message", BAD)
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_offsets_are_checked(instruction_set: str, backend: str, message: str, dtype: type) -> None:
    offsets, data = BAD[message]
    of = rows if backend == "native" else reference
    array, view = np.array(offsets, dtype), np.frombuffer(data, np.uint8)
    for call in (lambda: of.digest_rows(b"", [(array, view)]), lambda: of.trim_rows(array, view)):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("of", [rows, reference])
def test_other_refusals(instruction_set: str, of: object) -> None:
    one, two = column([b"a"]), column([b"a", b"b"])
    with pytest.raises(ValueError, match="no column"):
        of.digest_rows(b"", [])
    with pytest.raises(ValueError, match="different numbers"):
        of.digest_rows(b"", [one, two])
    with pytest.raises(ValueError, match="offsets must be int32"):
        of.digest_rows(b"", [(one[0].astype(np.float64), one[1])])
    with pytest.raises(ValueError, match="bytes must be uint8"):
        of.digest_rows(b"", [(one[0], one[1].astype(np.int16))])


def test_a_row_of_4_gib_is_refused(instruction_set: str) -> None:
    """The offsets alone claim it: refused before a byte is read."""
    with pytest.raises(ValueError, match="leave the buffer"):
        rows.digest_rows(b"", [(np.array([0, 1 << 33]), np.zeros(4, np.uint8))])


@several
@given(st.lists(st.binary(max_size=20), max_size=40))
def test_trimming_is_strip(instruction_set: str, values: list[bytes]) -> None:
    texts = [bytes(b & 0x3F if b & 0x40 else b & 0x7F for b in value) for value in values]
    offsets, data = rows.trim_rows(*column(texts, skip=3))
    cut = [data[offsets[i] : offsets[i + 1]].tobytes() for i in range(len(texts))]
    assert cut == [text.decode().strip().encode() for text in texts]


@several
@given(st.binary(max_size=300))
def test_ascii(instruction_set: str, value: bytes) -> None:
    assert rows.is_ascii(np.frombuffer(value, np.uint8)) is value.isascii()
