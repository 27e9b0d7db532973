"""Prepared sets: found again, filled up, stored and read back, refused when damaged."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.core.errors import UsageError, VerificationError
from unseen.crypto import oprf
from unseen.crypto.oprf import OprfMode
from unseen.psi import table as tables
from unseen.psi.table import from_bytes, prepare

KEY = oprf.derive_key(bytes(32), b"test", OprfMode.VOPRF)


def ids(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 32), np.uint8)


def outputs(rows: np.ndarray, mode: OprfMode = OprfMode.VOPRF) -> np.ndarray:
    return oprf.evaluate(KEY, rows, mode)


@pytest.mark.parametrize("count", [0, 1, 2, 9, 100])
@pytest.mark.parametrize("more", [0, 1, 50])
def test_labels_are_found_by_who_can_evaluate(count: int, more: int) -> None:
    rows, labels = ids(count), [b"x" * (index % 7) for index in range(count)]
    table = prepare(KEY, rows, labels, version=1, size=count + more, label_bytes=10)
    assert table.tags.shape == (count + more, 12)
    assert table.labels.shape == (count + more, 2 + 10 + 16)
    assert table.open(outputs(rows)) == labels
    assert table.open(outputs(ids(5, seed=9))) == [None] * 5
    assert table.open(outputs(rows, OprfMode.OPRF)) == [None] * count


def test_without_labels() -> None:
    rows = ids(20)
    table = prepare(KEY, rows, version=1, mode=OprfMode.OPRF)
    assert table.open(outputs(rows, OprfMode.OPRF)) == [b""] * 20
    assert table.labels.shape == (20, 0)
    assert table.public == b""


def test_the_table_does_not_show_the_order_of_the_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables.secrets, "token_bytes", bytes)
    rows = ids(50)
    one, other = prepare(KEY, rows, version=1), prepare(KEY, rows[::-1], version=1)
    assert one.to_bytes() == other.to_bytes()


def test_every_table_seals_anew() -> None:
    rows, labels = ids(10), [b"label"] * 10
    one, other = (prepare(KEY, rows, labels, version=1) for _ in range(2))
    assert (one.tags == other.tags).all()
    assert not (one.labels == other.labels).all(axis=1).any()
    assert len({row.tobytes() for row in one.labels}) == 10


def test_noise_is_not_told_from_entries() -> None:
    table = prepare(KEY, ids(3000), [b"label"] * 3000, version=1, size=6000)
    counts = np.bincount(np.concatenate([table.tags.reshape(-1), table.labels.reshape(-1)]), minlength=256)
    expected = counts.sum() / 256
    assert ((counts - expected) ** 2 / expected).sum() < 255 + 6 * (2 * 255) ** 0.5


def test_stored_and_read_back() -> None:
    rows, labels = ids(30), [b"label"] * 30
    table = prepare(KEY, rows, labels, version=7, size=40)
    again = from_bytes(table.to_bytes())
    assert again.digest == table.digest
    assert again.version == 7
    assert again.open(outputs(rows)) == labels


def test_each_flipped_byte_is_found() -> None:
    data = prepare(KEY, ids(3), [b"a", b"b", b"c"], version=1).to_bytes()
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(VerificationError):
            from_bytes(bytes(changed))
    for wrong in (b"", data[:20], data[:-1], data + b"\0", bytes(100)):
        with pytest.raises(VerificationError):
            from_bytes(wrong)


def test_limits() -> None:
    with pytest.raises(UsageError):
        prepare(KEY, ids(3), version=1, size=2)
    with pytest.raises(UsageError):
        prepare(KEY, ids(3), [b"a"], version=1)
    with pytest.raises(UsageError):
        prepare(KEY, ids(1), [b"abc"], version=1, label_bytes=2)
    with pytest.raises(UsageError):
        prepare(KEY, ids(1), [bytes(5000)], version=1)
