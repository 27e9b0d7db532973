"""National identity numbers: upper case, without separators.

`national-id:CN` knows the numbers of GB 11643: 18 characters whose last one is a check character (ISO 7064 MOD 11-2),
which must be right. The older form of 15 digits is turned into that of 18, so both name one person.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

SUMMARY = "identity numbers: upper case, no separators; `national-id:CN`: check character verified, 15 digits become 18"
PARAMETERS = ("", "CN")

_SEPARATORS = r"[\s\-./·]"
_LENGTH = 18
_WEIGHTS = np.array([pow(2, _LENGTH - 1 - place, 11) for place in range(_LENGTH - 1)], np.int64)
_CHECKS = np.frombuffer(b"10X98765432", np.uint8)


def canonical(values: pa.Array, parameter: str) -> pa.Array:
    """See :class:`unseen.data.canonical.Kind`."""
    plain = pc.utf8_upper(pc.replace_substring_regex(values, _SEPARATORS, ""))
    nothing = pa.scalar(None, plain.type)
    if parameter != "CN":
        return pc.if_else(pc.match_substring_regex(plain, r"^[0-9A-Z]+$"), plain, nothing)
    # the old form leaves out the century, which was the 20th, and the check character, put in as 0 for now
    old = pc.match_substring_regex(plain, r"^[0-9]{15}$")
    plain = pc.replace_substring_regex(plain, r"^([0-9]{6})([0-9]{9})$", r"\119\20")
    shaped = pc.match_substring_regex(plain, r"^[0-9]{17}[0-9X]$")
    digits = _characters(pc.if_else(shaped, plain, pa.scalar("0" * _LENGTH, plain.type)))
    last = digits[:, -1:]
    check = _CHECKS[((digits[:, :-1].astype(np.int64) - ord("0")) @ _WEIGHTS) % 11].reshape(last.shape)
    added = old.to_numpy(zero_copy_only=False).reshape(last.shape)
    right = (added | (last == check)).reshape(-1)
    whole = np.concatenate([digits[:, :-1], np.where(added, check, last)], axis=1)
    return pc.if_else(pc.and_(shaped, pa.array(right)), _values(whole), nothing)


def _characters(values: pa.Array) -> NDArray[np.uint8]:
    """Values of 18 ASCII characters as rows."""
    fixed = pc.cast(pc.cast(values, pa.binary()), pa.binary(_LENGTH))
    start = fixed.offset * _LENGTH
    return np.frombuffer(fixed.buffers()[1], np.uint8, len(fixed) * _LENGTH, start).reshape(
        len(fixed), _LENGTH
    )


def _values(characters: NDArray[np.uint8]) -> pa.Array:
    offsets = np.arange(len(characters) + 1, dtype=np.int64) * _LENGTH
    return pa.LargeStringArray.from_buffers(len(characters), pa.py_buffer(offsets), pa.py_buffer(characters))
