"""Short pseudo-random tags, 5 to 16 bytes each, as they end a private set intersection: sorted, coded, matched.

Tags are rows of a uint8 array of shape (n, width) and compare as big-endian numbers. A sorted list of n tags tells nothing
of the order in which they were made, and needs some log2 n - 1.5 bits a tag less on the wire: differences are written in
the code of Golomb and Rice, whose format `native/include/unseen/tags.hpp` states.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import tags as reference

Tags = NDArray[np.uint8]

_native = native()


def sort_tags(tags: Tags) -> tuple[Tags, NDArray[np.int64]]:
    """The tags in ascending order, and where each came from, shape (n,); equal ones keep their order.

    Raises
    ------
    ValueError
        Tags of less than 5 or more than 16 bytes (so do all functions here).
    """
    if _native is None:
        return reference.sort_tags(tags)
    done: tuple[Tags, NDArray[np.int64]] = _native.sort_tags(tags)
    return done


def encode_tags(tags: Tags) -> NDArray[np.uint8]:
    """The code of an ascending list, one-dimensional. Its length depends on the tags, by few bytes if they are random.

    Raises
    ------
    ValueError
        The tags do not ascend.
    """
    if _native is None:
        return reference.encode_tags(tags)
    code: NDArray[np.uint8] = _native.encode_tags(tags)
    return code


def decode_tags(code: NDArray[np.uint8], count: int, width: int) -> Tags:
    """The `count` ascending tags of a code that may come from anybody; each list has one code and no other is taken.

    Raises
    ------
    ValueError
        The code is not that of `count` tags: too short or too long for them (seen before memory is taken), tags beyond
        the largest number of that width, padding that is not zero, bytes left over.
    """
    if _native is None:
        return reference.decode_tags(code, count, width)
    if count < 0:
        raise ValueError("a count is 0 or more")
    tags: Tags = _native.decode_tags(code, count, width)
    return tags


def match_tags(left: Tags, right: Tags) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of two ascending lists the places where equal tags stand: `left[i] == right[j]` for each pair i, j returned.

    Among tags that come several times the first meets the first, and so on.

    Raises
    ------
    ValueError
        The lists have tags of different widths.
    """
    if _native is None:
        return reference.match_tags(left, right)
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]] = _native.match_tags(left, right)
    return pairs
