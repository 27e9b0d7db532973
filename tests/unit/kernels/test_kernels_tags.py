"""Tags: order, code, matching against the definition; and a decoder that nobody's bytes can fool."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.kernels import tags
from unseen.kernels.reference import tags as reference

several = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
WIDTHS = range(5, 17)


def random(seed: int, count: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, width), np.uint8)


def same(ours: object, theirs: object) -> None:
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)
        assert mine.dtype == other.dtype


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 24, 25, 26, 300, 1023, 5001])
def test_sizes_and_widths(instruction_set: str, width: int, count: int) -> None:
    drawn, other = random(count, count, width), random(count + 1, count // 2, width)
    ours = tags.sort_tags(drawn)
    same(ours, reference.sort_tags(drawn))
    code = tags.encode_tags(ours[0])
    same([code], [reference.encode_tags(ours[0])])
    same([tags.decode_tags(code, count, width)], [ours[0]])
    both, _ = tags.sort_tags(np.concatenate([other, drawn[::3]]))
    same(tags.match_tags(ours[0], both), reference.match_tags(ours[0], both))


@several
@given(st.data(), st.sampled_from(WIDTHS), st.integers(0, 80), st.integers(0, 3))
def test_tags_that_are_not_random(
    instruction_set: str, data: st.DataObject, width: int, count: int, alphabet: int
) -> None:
    """Few different bytes: equal tags, long common beginnings, the smallest and largest numbers."""
    byte = st.sampled_from([[0], [255], [0, 255], [0, 1, 254]][alphabet])
    drawn = np.array(
        data.draw(st.lists(st.lists(byte, min_size=width, max_size=width), min_size=count, max_size=count)),
        np.uint8,
    ).reshape(count, width)
    ours, order = tags.sort_tags(drawn)
    same((ours, order), reference.sort_tags(drawn))
    code = tags.encode_tags(ours)
    same([code], [reference.encode_tags(ours)])
    same([tags.decode_tags(code, count, width)], [ours])
    half, _ = tags.sort_tags(drawn[::2])
    same(tags.match_tags(ours, half), reference.match_tags(ours, half))


@pytest.mark.parametrize("width", [5, 12, 13, 16])
def test_many_equal_tags(instruction_set: str, width: int) -> None:
    drawn = random(1, 4, width)[np.random.default_rng(2).integers(0, 4, 40_000)]
    ours, order = tags.sort_tags(drawn)
    np.testing.assert_array_equal(ours, drawn[order])
    for value in np.unique(ours, axis=0):
        rows = order[(ours == value).all(1)]
        assert (np.diff(rows) > 0).all()


@pytest.mark.parametrize("log", [10, 14, 17])
def test_the_code_saves_what_it_should(log: int) -> None:
    """log2 n - 1.5 bits a tag, give or take 0.1, for numbers of tags between powers of two as well."""
    for count in (1 << log, 3 << (log - 1)):
        ours, _ = tags.sort_tags(random(log, count, 10))
        saved = 80 - 8 * len(tags.encode_tags(ours)) / count
        assert saved == pytest.approx(math.log2(count) - 1.53, abs=0.12)


def test_only_ascending_lists_are_encoded(instruction_set: str) -> None:
    ours, _ = tags.sort_tags(random(5, 100, 10))
    ours[[40, 60]] = ours[[60, 40]]
    for of in (tags, reference):
        with pytest.raises(ValueError, match="ascend"):
            of.encode_tags(ours)


@pytest.mark.parametrize("of", [tags, reference])
def test_refusals(instruction_set: str, of: object) -> None:
    for width in (0, 4, 17):
        for call in (
            lambda width=width: of.sort_tags(np.zeros((3, width), np.uint8)),
            lambda width=width: of.encode_tags(np.zeros((3, width), np.uint8)),
            lambda width=width: of.decode_tags(np.zeros(9, np.uint8), 3, width),
            lambda width=width: of.match_tags(np.zeros((3, width), np.uint8), np.zeros((3, width), np.uint8)),
        ):
            with pytest.raises(ValueError, match="5 to 16"):
                call()
    with pytest.raises(ValueError, match="different widths"):
        of.match_tags(np.zeros((3, 5), np.uint8), np.zeros((3, 6), np.uint8))
    with pytest.raises(ValueError, match="count"):
        of.decode_tags(np.zeros(9, np.uint8), -1, 5)


@pytest.mark.parametrize("of", [tags, reference])
def test_bad_codes(instruction_set: str, of: object) -> None:
    """Each kind of fault by its name."""
    ours, _ = tags.sort_tags(random(8, 20, 5))
    code = tags.encode_tags(ours)
    low = (20 * 35 + 7) // 8  # 35 low bits a tag, and 4 bits of padding

    def with_quotients(*quotients: int) -> np.ndarray:
        return np.concatenate([code[:low], np.array(quotients, np.uint8)])

    cases = {
        "too short": code[:low],
        "too long": np.concatenate([code, np.zeros(9, np.uint8)]),
        "padding": np.where(np.arange(len(code)) == low - 1, code | 0x80, code).astype(np.uint8),
        "fewer": with_quotients(1, 0, 0),
        "more": with_quotients(255, 255, 31),
        "left over": with_quotients(255, 255, 15, 0),
        "too large": with_quotients(255, 255, 7, 0, 0, 0, 128),
    }
    for message, bad in cases.items():
        with pytest.raises(ValueError, match=message):
            of.decode_tags(bad, 20, 5)
    with pytest.raises(ValueError, match="too long"):
        of.decode_tags(np.zeros(1, np.uint8), 0, 5)
    with pytest.raises(ValueError, match="too short"):
        of.decode_tags(np.zeros(100, np.uint8), (1 << 32) - 1, 16)  # refused before 64 GiB are asked for


@several
@given(st.integers(0, 40), st.sampled_from(WIDTHS), st.integers(0, 2**32), st.data())
def test_the_decoder_takes_codes_and_nothing_else(
    instruction_set: str, count: int, width: int, seed: int, data: st.DataObject
) -> None:
    """Mutated codes: refused, or the one code of some other ascending list; the definition says the same."""
    ours, _ = tags.sort_tags(random(seed, count, width))
    code = bytearray(tags.encode_tags(ours).tobytes())
    for _ in range(data.draw(st.integers(1, 4))):
        kind = data.draw(st.sampled_from(["flip", "cut", "grow", "swap", "ones"]))
        place = data.draw(st.integers(0, max(len(code) - 1, 0)))
        if kind == "grow" or not code:
            code[place:place] = data.draw(st.binary(max_size=12))
        elif kind == "cut":
            del code[place : place + data.draw(st.integers(1, 12))]
        elif kind == "flip":
            code[place] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "swap":
            code[place] = data.draw(st.integers(0, 255))
        else:
            code[place:] = b"\xff" * (len(code) - place)
    given_count = data.draw(st.sampled_from([count, count + 1, max(count - 1, 0)]))
    view = np.frombuffer(bytes(code), np.uint8)
    results = []
    for of in (tags, reference):
        try:
            decoded = of.decode_tags(view, given_count, width)
        except ValueError as error:
            results.append(type(error))
        else:
            assert tags.encode_tags(decoded).tobytes() == bytes(code)
            results.append(decoded.tobytes())
    assert results[0] == results[1]


def test_matching_lists_that_do_not_ascend_is_harmless(instruction_set: str) -> None:
    """Whoever forgets to sort gets nonsense, not other people's memory."""
    for seed in range(30):
        left, right = random(seed, 50 + seed, 5) & 1, random(seed + 99, 70, 5) & 1
        i, j = tags.match_tags(left, right)
        assert len(i) == len(j) <= 50 + seed
        np.testing.assert_array_equal(left[i], right[j])
