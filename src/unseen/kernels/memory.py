"""Where the arrays of a computation lie: large ones in pages of their own instead of on the heap.

Arrays of some hundred kilobytes that come and go leave about as much free on the heap between them as they take, and the process
keeps that. Within :func:`arrays_in_pages` those that NumPy makes are allocated as results of kernels always are
(native/bind/memory.cpp): in pages that are used again as soon as they are free, so a computation holds no more than what it had in use
at one time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from unseen.kernels.native import native

_native = native()


@contextmanager
def arrays_in_pages() -> Iterator[None]:
    """For arrays that this thread makes in the block; they may be kept longer. Without native kernels nothing changes."""
    before = None if _native is None else _native.set_arrays(None)
    try:
        yield
    finally:
        if _native is not None:
            _native.set_arrays(before)
