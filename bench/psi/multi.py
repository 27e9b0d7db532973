"""Three holders and more, file to file, beside the rival's modes for several parties."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.parties import Wire, play
from bench.psi import files
from bench.report import Sample
from unseen.client.psi import output
from unseen.client.psi.load import load
from unseen.client.psi.options import Options
from unseen.party import Disclosure, Door, Party
from unseen.psi import intersect

TRUST = (
    "semi-honest holders of whom all but one may collude, nothing about fewer than all comes out; dual LPN, correlation-robust AES; "
    "rival: DDH on curve25519, one party learns the size of an intersection of two"
)


def ours(count: int, holders: int, *, wire: Wire = "lan") -> Sample:
    """One intersection of `holders` files of `count` ids, half of them common to all, result to all."""
    names = tuple(f"holder-{number}" for number in range(1, holders + 1))
    inputs = dict(zip(names, files.several(count, holders), strict=True))
    told = [Disclosure("intersection", "which ids all have", names, Door.RELEASE)]

    def program(party: Party) -> int:
        with tempfile.TemporaryDirectory(prefix=f"unseen-bench-{party.name}-") as folder:
            target = Path(folder) / "common.csv"
            asked = Options(input=inputs[party.name], key="id", output=target, memory_mib=2048)
            loaded = load(asked, Path(folder), lambda _rows: None)
            with loaded.store:
                _, ids, rows = loaded.parted(0, 1)
                aligned = intersect(party, ids, holders=names, to=names, distinct=True)
                if aligned is None:
                    raise RuntimeError("a receiver without a result")
                found = output.Found(rows[aligned.rows], None)
                return output.write(
                    target,
                    loaded,
                    found,
                    rows=asked.rows,
                    order=asked.order,
                    memory_bytes=asked.memory_bytes,
                )

    played = play(program, names, wire=wire, disclosures=told)
    matched = [item.result for item in played.parties.values()]
    if set(matched) != {count - count // 2}:
        raise RuntimeError(f"a wrong result: {matched}")
    return played.sample(more={f"cpu_{name}_s": item.cpu_s for name, item in played.parties.items()})
