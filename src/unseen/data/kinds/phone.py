"""Telephone numbers in the form of ITU-T E.164: `+`, country code, subscriber number, nothing else.

`phone:CN` takes numbers without a country as numbers of China; the other countries of the table likewise. Separators
fall away, `00` (or what the country dials abroad with) counts as `+`, and the digit that a country dials before its own
numbers is dropped. A number with a country code and without `+` is understood where it cannot be a national one.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a country numbers: its code, what it dials before own and before foreign numbers, longest own number."""

    code: str
    trunk: str
    abroad: str
    longest: int


_PLANS = {
    "AT": _Plan("43", "0", "00", 13),
    "AU": _Plan("61", "0", "0011", 9),
    "BR": _Plan("55", "0", "00", 11),
    "CA": _Plan("1", "1", "011", 10),
    "CH": _Plan("41", "0", "00", 9),
    "CN": _Plan("86", "0", "00", 11),
    "DE": _Plan("49", "0", "00", 12),
    "ES": _Plan("34", "", "00", 9),
    "FR": _Plan("33", "0", "00", 9),
    "GB": _Plan("44", "0", "00", 10),
    "HK": _Plan("852", "", "001", 8),
    "IN": _Plan("91", "0", "00", 10),
    "IT": _Plan("39", "", "00", 11),
    "JP": _Plan("81", "0", "010", 10),
    "KR": _Plan("82", "0", "00", 10),
    "MO": _Plan("853", "", "00", 8),
    "NL": _Plan("31", "0", "00", 9),
    "RU": _Plan("7", "8", "810", 10),
    "SG": _Plan("65", "", "000", 8),
    "TW": _Plan("886", "0", "002", 9),
    "US": _Plan("1", "1", "011", 10),
}

SUMMARY = "telephone numbers as E.164; `phone:CN`: those without a country are of China"
PARAMETERS = ("", *_PLANS)

_SEPARATORS = r"[\s\-./()\x{2010}-\x{2015}]"
_OPTIONAL_TRUNK = r"^((?:\+|00)[0-9\s]+)\(0\)"  # +44 (0)20 …: the 0 is for callers at home
_E164 = r"^\+[1-9][0-9]{6,14}$"


def canonical(values: pa.Array, parameter: str) -> pa.Array:
    """See :class:`unseen.data.canonical.Kind`."""
    plain = pc.replace_substring_regex(values, _OPTIONAL_TRUNK, r"\1")
    plain = pc.replace_substring_regex(plain, _SEPARATORS, "")
    plan = _PLANS.get(parameter)
    if plan is None:
        plain = pc.replace_substring_regex(plain, "^00", "+")
    else:
        plain = pc.replace_substring_regex(plain, f"^{plan.abroad}", "+")
        coded = rf"^{plan.code}([0-9]{{{plan.longest}}})$"
        own = rf"^{plan.trunk}([0-9]{{4,{plan.longest}}})$"
        for pattern in dict.fromkeys((coded, own, rf"^([0-9]{{4,{plan.longest}}})$")):
            plain = pc.replace_substring_regex(plain, pattern, rf"+{plan.code}\1")
    return pc.if_else(pc.match_substring_regex(plain, _E164), plain, pa.scalar(None, plain.type))
