"""Each instruction set of this machine in turn, for tests of the native kernels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from unseen.kernels import backend
from unseen.kernels.native import native

_SETS = native().instruction_sets() if native() is not None else []


@pytest.fixture(
    params=_SETS or [pytest.param("none", marks=pytest.mark.skip("the native kernels are not built"))]
)
def instruction_set(request: pytest.FixtureRequest) -> Iterator[str]:
    """The native kernels run on this one while the test does."""
    module = native()
    before = backend().removeprefix("native:")
    module.use(request.param)
    yield request.param
    module.use(before)
