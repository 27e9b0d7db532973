"""E-mail addresses (RFC 5321 section 2.3.11): the domain in lower case, the part before the @ as it is.

RFC 5321 leaves the meaning of the local part to its domain, so two spellings may be two people; most providers treat
them as one, which is what `email:lower` asks for. Internationalised domains are compared as they are written.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

SUMMARY = "e-mail addresses: domain in lower case, local part kept; `email:lower`: all in lower case"
PARAMETERS = ("", "lower")


def canonical(values: pa.Array, parameter: str) -> pa.Array:
    """See :class:`unseen.data.canonical.Kind`."""
    parts = pc.extract_regex(values, r"^(?P<local>\S+)@(?P<domain>[^@\s]*[^@\s.])\.?$")
    local, domain = (pc.struct_field(parts, name) for name in ("local", "domain"))
    if parameter == "lower":
        local = pc.utf8_lower(local)
    return pc.binary_join_element_wise(local, pc.utf8_lower(domain), pa.scalar("@", values.type))
