"""The generator: AES in counter mode as an independent library computes it, forward only, alike at both holders of a seed."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from unseen.core.errors import LocalProtocolError
from unseen.crypto.prg import Prg

SEED = bytes(range(32))


def independent(blocks: int) -> bytes:
    """AES of (counter, bytes 16 to 23 of the seed), by OpenSSL."""
    counters = b"".join(count.to_bytes(8, "little") + SEED[16:24] for count in range(blocks))
    return Cipher(AES(SEED[:16]), ECB()).encryptor().update(counters)


def test_it_is_aes_in_counter_mode() -> None:
    assert Prg(SEED).bytes(1000) == independent(63)[:1000]
    words = Prg(SEED).u64((3, 5))
    assert words.shape == (3, 5)
    assert words.tobytes() == independent(8)[:120]


def test_every_draw_begins_with_a_fresh_block() -> None:
    prg = Prg(SEED)
    stream = independent(10)
    assert prg.bytes(1) == stream[:1]
    assert prg.bytes(17) == stream[16:33]
    assert prg.u64(2).tobytes() == stream[48:64]
    assert prg.bytes(0) == b""
    assert prg.u64(1).tobytes() == stream[64:72]


def test_draws_do_not_overlap() -> None:
    prg = Prg.fresh()
    drawn = np.concatenate([prg.u64(size) for size in (1, 2, 3, 100, 1, 7)])
    assert len(np.unique(drawn)) == len(drawn)


def test_it_is_never_copied_or_shown() -> None:
    prg = Prg(SEED)
    for act in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(LocalProtocolError, match="one-time pad"):
            act(prg)
    assert repr(prg) == "Prg(<secret>)"


def test_bounds_are_without_bias() -> None:
    drawn = Prg(SEED).below(6, 60_000)
    counts = np.bincount(drawn.astype(int), minlength=6)
    assert len(counts) == 6
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 30.0
    with pytest.raises(LocalProtocolError):
        Prg(SEED).below(0, 1)
