"""Ids come out of the store as they went in, from memory or disk, in any number of partitions."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from unseen.core.errors import UnavailableError
from unseen.data import idstore
from unseen.data.idstore import IdStore, power_of_two


def ids_of(count, seed=1):
    return np.frombuffer(
        b"".join(hashlib.sha256(f"{seed}/{place}".encode()).digest() for place in range(count)), np.uint8
    ).reshape(count, 32)


@pytest.mark.parametrize("memory_bytes", [1 << 30, 0])
@pytest.mark.parametrize("parts", [1, 2, 64, 4096])
@pytest.mark.parametrize("count", [0, 1, 2, 999])
def test_partitions_hold_every_id_once(tmp_path, monkeypatch, memory_bytes, parts, count):
    monkeypatch.setattr(idstore, "_RUN_ROWS", 200)
    ids = ids_of(count)
    with IdStore(tmp_path, memory_bytes) as store:
        for start in range(0, count, 77):
            store.add(ids[start : start + 77])
        store.finish()
        assert store.on_disk == (memory_bytes == 0 and count > 0)
        for _again in range(2):
            seen = []
            for part in range(parts):
                found, rows = store.partition(part, parts)
                assert np.array_equal(found, ids[rows])
                prefix = found[:, :2].astype(int) @ [256, 1]
                assert (prefix * parts >> 16 == part).all()
                seen += rows.tolist()
            assert sorted(seen) == list(range(count))
    assert not list(tmp_path.iterdir())


def test_rows_of_one_id_stay_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(idstore, "_RUN_ROWS", 10)
    ids = np.tile(ids_of(3), (20, 1))
    with IdStore(tmp_path, 0) as store:
        store.add(ids[:31])
        store.add(ids[31:])
        store.finish()
        for parts in (1, 8):
            for part in range(parts):
                found, rows = store.partition(part, parts)
                for one in np.unique(found, axis=0):
                    mine = rows[(found == one).all(axis=1)]
                    assert (np.diff(mine) > 0).all()


def test_the_fingerprint_knows_ids_and_their_rows(tmp_path):
    def fingerprint(*parts):
        store = IdStore(tmp_path, 1 << 30)
        for part in parts:
            store.add(part)
        store.finish()
        return store.fingerprint

    ids = ids_of(50)
    assert fingerprint(ids) == fingerprint(ids[:20], ids[20:])
    assert fingerprint(ids) != fingerprint(ids[::-1])
    assert fingerprint(ids) != fingerprint(ids[:49])
    changed = ids.copy()
    changed[7, 9] ^= 1
    assert fingerprint(ids) != fingerprint(changed)


def test_a_disk_that_is_not_there_is_said(tmp_path):
    store = IdStore(tmp_path / "nowhere", 0)
    store.add(ids_of(3))
    with pytest.raises(UnavailableError, match="cannot be kept"):
        store.finish()


def test_powers_of_two():
    assert [power_of_two(count) for count in (0, 1, 2, 3, 4, 5, 1000)] == [1, 1, 2, 4, 4, 8, 1024]
