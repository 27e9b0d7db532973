"""What nodes say to each other has golden bytes, too: mail, agreement on jobs, news of logs, the link's own words.

After adding a message here, write its bytes with `python tests/vectors/test_vectors_nodes.py`. Bytes that are there
change only together with the version in a tag, or with the wire version of the link.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from unseen.jobs import messages as jobs
from unseen.link.frames import Abort, Hello, Kind, pack
from unseen.node import contracts, courier, evidence, work

FILE = Path(__file__).parent / "data" / "nodes.json"
JOB = jobs.JobRef("job-1", "contract-1", "clinic")
PLAIN: dict[str, msgspec.Struct] = {
    "mail.greeting/1": courier.Greeting("epoch-a", "epoch-b", 7, b"\x01"),
    "mail.letter/1": courier.Delivery(8, "job", b"body"),
    "mail.receipt/1": courier.Receipt(8),
    "mail.note/1": courier.Note("progress", b"half"),
    "mail.ping/1": courier.Ping(),
    "job.accepted/1": jobs.Accepted(JOB),
    "job.ready/1": jobs.Ready(JOB, "train", 2),
    "job.prepared/1": jobs.Prepared(JOB, "train", 2, {"model": "ab" * 32}),
    "job.finished/1": jobs.Finished(JOB),
    "job.failed/1": jobs.Failed(JOB, "denied", "lab", "train"),
    "job.cancelled/1": jobs.Cancelled(JOB, "lab", "enough"),
    "log": evidence._News(3, [(b"\x01" * 32, b"{}")], "note"),
    "log-cosigned": evidence._Cosigned(4, "line"),
    "log-wanted": evidence._Wanted(3),
    "log-known": evidence._Known(4, "ab" * 32, "AAAA"),
    "progress": work._Note("job-1", "train", 2, 3, 10, "round 3"),
}
DECISION = contracts._Decision("contract-1", "signed", "AAAA", "")
HELLO = Hello((1,), "clinic", "lab", "job-1/train/1", 1.5, b"\x01" * 32, b"", 9, 1 << 20)
ABORT, SECOND_ABORT = Abort("denied", "train"), Abort("denied", "train", "lab")


def wire() -> dict[str, bytes]:
    found = {name: msgspec.msgpack.encode(message) for name, message in PLAIN.items()}
    found["contract-decision"] = msgspec.json.encode(DECISION)
    found["hello"] = bytes(pack(Kind.HELLO, msgspec.msgpack.encode(HELLO)))
    found["abort"] = bytes(pack(Kind.ABORT, msgspec.msgpack.encode(ABORT)))
    found["second-abort"] = bytes(pack(Kind.ABORT, msgspec.msgpack.encode(SECOND_ABORT)))
    return found


WIRE = wire()
GOLDEN: dict[str, str] = json.loads(FILE.read_text()) if FILE.exists() else {}


@pytest.mark.parametrize("name", WIRE)
def test_the_bytes_are_those_written_down(name: str) -> None:
    assert WIRE[name].hex() == GOLDEN[name]


@pytest.mark.parametrize("name", PLAIN)
def test_they_are_read_again_and_nothing_more_is(name: str) -> None:
    data, kind = bytes.fromhex(GOLDEN[name]), type(PLAIN[name])
    assert msgspec.msgpack.decode(data, type=kind) == PLAIN[name]
    for bad in (data[:-1], data + b"\xc0", b"\x81" + data, b""):
        with pytest.raises(msgspec.DecodeError):
            msgspec.msgpack.decode(bad, type=kind)


def test_job_messages_and_packets_are_told_apart_by_their_tags() -> None:
    for name, message in PLAIN.items():
        data: Any = bytes.fromhex(GOLDEN[name])
        if name.startswith("job."):
            assert jobs.decode(data, sender="lab") == message
        elif name.startswith("mail."):
            assert courier._decoder.decode(data) == message


if __name__ == "__main__":
    FILE.write_text(json.dumps({name: data.hex() for name, data in wire().items()}, indent=1) + "\n")
