"""Loading modules in processes that start often."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """A block of imports, without garbage collection: it finds nothing there, and takes a sixth of the time.

    What is there at the end is left out of later collections too, which leave the pages alone that forked processes share.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
