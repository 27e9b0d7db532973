"""`add_scaled` on every instruction set gives what its definition gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.kernels import oprf
from unseen.kernels.okvs import Field
from unseen.kernels.reference import oprf as reference


def blocks(rng: np.random.Generator, shape: tuple[int, ...], field: Field) -> np.ndarray:
    out = rng.integers(0, 256, (*shape, 16), np.uint8)
    if field == "gf96":
        out[..., 12:] = 0
    return out


@pytest.mark.usefixtures("instruction_set")
@settings(deadline=None, max_examples=20)
@given(st.integers(0, 21), st.integers(1, 3), st.sampled_from(["gf128", "gf96"]), st.integers(0, 1 << 30))
def test_equals_the_definition(rows: int, width: int, field: Field, seed: int) -> None:
    rng = np.random.default_rng(seed)
    base, factors, scalar = (blocks(rng, shape, field) for shape in ((rows, width), (rows,), (width,)))
    np.testing.assert_array_equal(
        oprf.add_scaled(base, factors, scalar, field=field),
        reference.add_scaled(field == "gf96", base, factors, scalar),
    )


def test_one_block_a_row() -> None:
    rng = np.random.default_rng(1)
    base, factors, scalar = blocks(rng, (9,), "gf128"), blocks(rng, (9,), "gf128"), blocks(rng, (), "gf128")
    out = oprf.add_scaled(base, factors, scalar, field="gf128")
    assert out.shape == (9, 16)
    np.testing.assert_array_equal(
        out, oprf.add_scaled(base[:, None], factors, scalar[None], field="gf128")[:, 0]
    )


def test_shapes_must_fit() -> None:
    with pytest.raises(ValueError, match="factor"):
        oprf.add_scaled(
            np.zeros((3, 16), np.uint8), np.zeros((2, 16), np.uint8), np.zeros(16, np.uint8), field="gf128"
        )
