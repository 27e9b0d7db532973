"""Tags in plain Python: the definition of order, code and matching."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Tags = NDArray[np.uint8]

LEAST, MOST = 5, 16  # bytes of a tag
_ROWS = 2
_LONGEST = 120  # low bits, so that they and a shift fit 128 bits


def low_bits(count: int, width: int) -> int:
    """How many bits of each difference are written as they are: 8 width - log2 of the count, rounded up."""
    return min(8 * width - (count - 1).bit_length(), _LONGEST)


def sort_tags(tags: Tags) -> tuple[Tags, NDArray[np.int64]]:
    """See :func:`unseen.kernels.tags.sort_tags`."""
    _check(tags)
    order = np.array(sorted(range(len(tags)), key=lambda i: tags[i].tobytes()), np.int64)
    return tags[order], order


def encode_tags(tags: Tags) -> NDArray[np.uint8]:
    """See :func:`unseen.kernels.tags.encode_tags`."""
    _check(tags)
    count, width = tags.shape
    if not count:
        return np.empty(0, np.uint8)
    bits, numbers = low_bits(count, width), [int.from_bytes(tag.tobytes(), "big") for tag in tags]
    low = high = place = before = 0
    for i, number in enumerate(numbers):
        step = number - before
        if step < 0:
            raise ValueError("the tags do not ascend")
        low |= (step & ((1 << bits) - 1)) << (i * bits)
        place += step >> bits
        high |= 1 << place
        place, before = place + 1, number
    code = low.to_bytes(_bytes(count * bits), "little") + high.to_bytes(_bytes(place), "little")
    return np.frombuffer(code, np.uint8)


def decode_tags(code: NDArray[np.uint8], count: int, width: int) -> Tags:
    """See :func:`unseen.kernels.tags.decode_tags`."""
    _check_width(width)
    if count < 0:
        raise ValueError("a count is 0 or more")
    if not count:
        if len(code):
            raise ValueError("the code is too long for its tags")
        return np.empty((0, width), np.uint8)
    bits = low_bits(count, width)
    cut = _bytes(count * bits)
    _check_size(len(code) - cut, count, 1 << (8 * width - bits))
    low, high = (int.from_bytes(part.tobytes(), "little") for part in (code[:cut], code[cut:]))
    if low >> (count * bits):
        raise ValueError("padding is not zero")
    places = [place for place in range(8 * (len(code) - cut)) if high >> place & 1]
    if len(places) != count:
        raise ValueError("fewer tags than agreed" if len(places) < count else "more tags than agreed")
    numbers, number = [], 0
    for i, place in enumerate(places):
        quotient = place - (places[i - 1] + 1 if i else 0)
        number += quotient << bits | (low >> (i * bits) & ((1 << bits) - 1))
        numbers.append(number)
    if number >> (8 * width):
        raise ValueError("a tag is too large")
    if _bytes(places[-1] + 1) != len(code) - cut:
        raise ValueError("bytes are left over")
    return np.frombuffer(b"".join(n.to_bytes(width, "big") for n in numbers), np.uint8).reshape(count, width)


def match_tags(left: Tags, right: Tags) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """See :func:`unseen.kernels.tags.match_tags`."""
    _check(left)
    _check(right)
    if left.shape[1] != right.shape[1]:
        raise ValueError("the lists have tags of different widths")
    i = j = 0
    pairs: tuple[list[int], list[int]] = ([], [])
    while i < len(left) and j < len(right):
        a, b = left[i].tobytes(), right[j].tobytes()
        if a == b:
            pairs[0].append(i)
            pairs[1].append(j)
        i, j = i + (a <= b), j + (b <= a)
    return np.array(pairs[0], np.int64), np.array(pairs[1], np.int64)


def _check_size(unary: int, count: int, quotients: int) -> None:
    if unary < _bytes(count):
        raise ValueError("the code is too short for its tags")
    if unary > _bytes(count + quotients):
        raise ValueError("the code is too long for its tags")


def _bytes(bits: int) -> int:
    return (bits + 7) // 8


def _check(tags: Tags) -> None:
    if tags.dtype != np.uint8 or tags.ndim != _ROWS:
        raise ValueError("tags are rows of bytes")
    _check_width(tags.shape[1])


def _check_width(width: int) -> None:
    if not LEAST <= width <= MOST:
        raise ValueError("a tag has 5 to 16 bytes")
