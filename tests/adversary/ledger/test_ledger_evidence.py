"""Logs under attack: forks, rewritten, left-out and truncated entries are found, and pinned on the log they are in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.core.errors import VerificationError
from unseen.crypto.sign import raw_public_key
from unseen.ledger import merkle, receipts
from unseen.ledger.bundle import Bundle, LogExtract, check, read, write
from unseen.ledger.entries import Entry, Head
from unseen.ledger.log import Log, Mirror
from unseen.ledger.notes import Checkpoint, Note, check_cosignature, cosign, parse_checkpoint, sign_note

KEYS = {name: Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)) for number, name in enumerate("abc")}
PUBLIC = {name: raw_public_key(key) for name, key in KEYS.items()}
CONTRACT = "contract-1"


def entry(party: str, kind: str = "contract-refused", contract: str = CONTRACT, **more: Any) -> Entry:
    body = {"contract-refused": {"reason": "no"}, "run-ended": {"state": "finished", "problem": None}}[kind]
    job = "job-1" if kind == "run-ended" else None
    return Entry(
        kind=kind, party=party, at="2026-11-24T00:00:00Z", contract=contract, job=job, body=body, **more
    )


class Node:
    """A log of its own and mirrors of the others'."""

    def __init__(self, name: str, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.name, self.folder = name, folder
        self.log = Log(folder, name, KEYS[name])
        self.mirrors = {peer: Mirror(folder, peer, PUBLIC[peer]) for peer in KEYS if peer != name}

    def write(self, kind: str = "contract-refused", contract: str = CONTRACT) -> None:
        heads = {peer: mirror.signed_head() for peer, mirror in self.mirrors.items()}
        self.log.append(entry(self.name, kind, contract, depends_on=heads))

    def show(self, start: int = 0) -> tuple[int, list[tuple[bytes, bytes]], Note]:
        items = [
            (leaf, self.log.leaves.entries[index].to_bytes())
            for index, leaf in enumerate(self.log.leaves.hashes)
            if index >= start
        ]
        return start, items, self.log.checkpoint()

    def bundle(self, nodes: dict[str, Node]) -> Bundle:
        logs = {}
        for name, node in nodes.items():
            leaves = node.log.leaves
            entries = {i: e.to_bytes() for i, e in leaves.entries.items() if e.contract == CONTRACT}
            logs[name] = LogExtract(str(node.log.checkpoint()), b"".join(leaves.hashes), entries)
        return Bundle(CONTRACT, self.name, logs)


@pytest.fixture
def nodes(tmp_path: Path) -> dict[str, Node]:
    made = {name: Node(name, tmp_path / name) for name in KEYS}
    for turn in range(3):
        for node in made.values():
            node.write(
                "run-ended" if turn == 1 else "contract-refused", CONTRACT if turn != 1 else "contract-2"
            )
            node.write()
        for node in made.values():
            for peer in made.values():
                if peer is not node:
                    note = peer.show()[2]
                    node.mirrors[peer.name].extend(*peer.show(node.mirrors[peer.name].leaves.size))
                    signature = cosign(note, node.name, KEYS[node.name], time=1)
                    peer.log.cosigned(parse_checkpoint(note).size, signature)
    return made


def test_honest_logs_have_no_findings(nodes: dict[str, Node]) -> None:
    data = write(nodes["a"].bundle(nodes))
    checked = check(read(data), PUBLIC)
    assert checked.findings == []
    assert all(set(log.witnesses) == set(KEYS) - {name} for name, log in checked.logs.items())
    assert all(len(log.entries) == 5 for log in checked.logs.values())


def test_every_changed_byte_of_a_bundle_is_found(nodes: dict[str, Node]) -> None:
    data = write(nodes["a"].bundle(nodes))
    missed = []
    for place in range(0, len(data), 11):
        bad = bytearray(data)
        bad[place] ^= 0x01
        try:
            checked = check(read(bytes(bad)), PUBLIC)
        except VerificationError:
            continue
        if not checked.findings and all(
            set(log.witnesses) == set(KEYS) - {name} for name, log in checked.logs.items()
        ):
            missed.append(place)
    body = read(data)
    harmless = data.index(b"made_by")
    assert all(harmless <= place <= harmless + 10 for place in missed), (missed, body.made_by)


def _with(bundle: Bundle, name: str, **changes: Any) -> Bundle:
    logs = {**bundle.logs, name: msgspec.structs.replace(bundle.logs[name], **changes)}
    return msgspec.structs.replace(bundle, logs=logs)


def pinned(bundle: Bundle) -> set[str]:
    return {finding.log for finding in check(bundle, PUBLIC).findings}


def test_a_missing_entry_is_pinned_on_its_log(nodes: dict[str, Node]) -> None:
    bundle = nodes["a"].bundle(nodes)
    entries = dict(bundle.logs["b"].entries)
    entries.pop(sorted(entries)[1])
    assert pinned(_with(bundle, "b", entries=entries)) == {"b"}


def test_a_rewritten_entry_is_pinned_on_its_log(nodes: dict[str, Node]) -> None:
    bundle = nodes["a"].bundle(nodes)
    index, data = next(iter(bundle.logs["b"].entries.items()))
    other = data.replace(b'"reason":"no"', b'"reason":"yes"')
    assert other != data
    assert pinned(_with(bundle, "b", entries={**bundle.logs["b"].entries, index: other})) == {"b"}


def test_a_log_rewritten_and_signed_anew_is_pinned_on_it_by_what_the_others_saw(
    nodes: dict[str, Node],
) -> None:
    bundle = nodes["a"].bundle(nodes)
    extract = bundle.logs["b"]
    entries = {
        i: d.replace(b'"reason":"no"', b'"reason":"yes"') if i == 0 else d for i, d in extract.entries.items()
    }
    hashes = [extract.leaves[i : i + 32] for i in range(0, len(extract.leaves), 32)]
    hashes[0] = merkle.leaf_hash(entries[0])
    note = sign_note(Checkpoint("b", len(hashes), merkle.root(hashes)).text(), "b", KEYS["b"])
    forged = _with(bundle, "b", note=str(note), leaves=b"".join(hashes), entries=entries)
    checked = check(forged, PUBLIC)
    assert {finding.log for finding in checked.findings} == {"b"}
    assert checked.logs["b"].witnesses == {}


def test_a_log_cut_short_and_signed_anew_is_pinned_on_it(nodes: dict[str, Node]) -> None:
    bundle = nodes["a"].bundle(nodes)
    extract = bundle.logs["b"]
    hashes = [extract.leaves[i : i + 32] for i in range(0, len(extract.leaves), 32)][:2]
    note = sign_note(Checkpoint("b", 2, merkle.root(hashes)).text(), "b", KEYS["b"])
    entries = {i: d for i, d in extract.entries.items() if i < 2}
    findings = check(
        _with(bundle, "b", note=str(note), leaves=b"".join(hashes), entries=entries), PUBLIC
    ).findings
    assert {(finding.log, finding.behind) for finding in findings} == {("b", True)}


@pytest.mark.parametrize("signature", [None, "AAAA", "A", "of another head"])
@pytest.mark.parametrize("size", [2, 100])
def test_nobody_can_be_accused_without_its_signature(
    nodes: dict[str, Node], size: int, signature: str | None
) -> None:
    """a says it had seen another log of b: that is a's word alone, and stays with a."""
    a = nodes["a"]
    if signature == "of another head":
        signature = a.mirrors["b"].signed_head().signature
    a.log.append(entry("a", depends_on={"b": Head(size=size, root="ab" * 32, signature=signature)}))
    findings = check(a.bundle(nodes), PUBLIC).findings
    assert {finding.log for finding in findings} == {"a"}
    assert "has not signed" in findings[0].what


def test_a_log_that_others_saw_more_of_is_behind_and_not_broken(nodes: dict[str, Node]) -> None:
    """b's news reached c and not yet a, who makes the bundle: nobody did anything wrong, and something is missing."""
    early = nodes["a"].bundle(nodes).logs["b"]
    nodes["b"].write()
    mirror = nodes["c"].mirrors["b"]
    mirror.extend(*nodes["b"].show(mirror.leaves.size))
    nodes["c"].write()
    bundle = nodes["a"].bundle(nodes)
    assert check(bundle, PUBLIC).findings == []
    findings = check(_with(bundle, "b", **msgspec.structs.asdict(early)), PUBLIC).findings
    assert {(finding.log, finding.behind) for finding in findings} == {("b", True)}


@pytest.mark.parametrize("start", [-1, 0])
@pytest.mark.parametrize("size", [0, 31, 33])
def test_leaves_of_another_size_are_refused_before_they_are_on_disk(
    nodes: dict[str, Node], tmp_path: Path, size: int, start: int
) -> None:
    """Signed by their author and consistent in themselves; on disk they would keep the node from starting again."""
    leaves = [merkle.leaf_hash(b"1"), bytes(size)]
    note = sign_note(Checkpoint("b", 2 + start, merkle.root(leaves)).text(), "b", KEYS["b"])
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    mirror = Mirror(fresh, "b", PUBLIC["b"])
    with pytest.raises(VerificationError, match="does not fit"):
        mirror.extend(start, [(leaf, b"") for leaf in leaves], note)
    mirror.close()
    assert Mirror(fresh, "b", PUBLIC["b"]).leaves.size == 0


def test_leaves_beyond_the_signed_head_are_refused(nodes: dict[str, Node]) -> None:
    mirror, (start, items, _) = nodes["a"].mirrors["b"], nodes["b"].show()
    for size in (mirror.leaves.size, len(items) - 1):
        with pytest.raises(VerificationError, match="does not fit"):
            mirror.extend(start, [*items, items[0]], nodes["b"].log.checkpoint(size))


def test_swapped_and_absent_logs_are_found(nodes: dict[str, Node]) -> None:
    bundle = nodes["a"].bundle(nodes)
    swapped = msgspec.structs.replace(
        bundle, logs={**bundle.logs, "a": bundle.logs["b"], "b": bundle.logs["a"]}
    )
    assert {"a", "b"} <= pinned(swapped)
    absent = msgspec.structs.replace(bundle, logs={k: v for k, v in bundle.logs.items() if k != "c"})
    assert pinned(absent) == {"c"}
    stranger = msgspec.structs.replace(bundle, logs={**bundle.logs, "mallory": bundle.logs["c"]})
    assert pinned(stranger) == {"mallory"}


def test_a_cosignature_counts_for_its_head_only(nodes: dict[str, Node]) -> None:
    old = nodes["b"].log.checkpoint(2)
    new = nodes["b"].log.checkpoint()
    signature = cosign(old, "a", KEYS["a"], time=7)
    assert check_cosignature(old, signature, "a", PUBLIC["a"]) == 7
    with pytest.raises(VerificationError):
        check_cosignature(new, signature, "a", PUBLIC["a"])


def test_a_mirror_refuses_a_fork_and_keeps_the_evidence(nodes: dict[str, Node], tmp_path: Path) -> None:
    fork = Node("b", tmp_path / "fork")
    for _ in range(8):
        fork.write()
    start, items, note = fork.show(nodes["a"].mirrors["b"].leaves.size)
    with pytest.raises(VerificationError, match="was changed"):
        nodes["a"].mirrors["b"].extend(start, items, note)
    evidence = (nodes["a"].folder / "forks-of-b").read_text().splitlines()
    assert len(evidence) == 2
    with pytest.raises(VerificationError, match="was changed"):
        nodes["a"].mirrors["b"].extend(0, fork.show()[1], fork.show()[2])


def test_a_mirror_refuses_what_is_not_signed_or_not_the_authors(nodes: dict[str, Node]) -> None:
    mirror = nodes["a"].mirrors["b"]
    size = mirror.leaves.size
    nodes["b"].write()
    start, items, note = nodes["b"].show(size)
    with pytest.raises(VerificationError):
        mirror.extend(start, items, Note(note.text.replace("b\n", "b\n", 1), ()))
    with pytest.raises(VerificationError):
        mirror.extend(start + 1, items, note)
    with pytest.raises(VerificationError):
        mirror.extend(start, [], note)
    with pytest.raises(VerificationError):
        mirror.extend(start, [(items[0][0], entry("c").to_bytes())], note)
    assert mirror.leaves.size == size
    mirror.extend(start, items, note)
    assert mirror.leaves.size == size + 1


def test_receipts_stand_alone(nodes: dict[str, Node]) -> None:
    receipt = receipts.make(nodes["a"].log, 2)
    found, witnesses = receipts.check(receipt, PUBLIC)
    assert found.party == "a"
    assert witnesses == ("b", "c")
    for changed in (
        msgspec.structs.replace(receipt, index=1),
        msgspec.structs.replace(receipt, entry=entry("a", "run-ended").to_bytes()),
        msgspec.structs.replace(receipt, proof=receipt.proof[1:]),
        msgspec.structs.replace(receipt, note=receipt.note.replace("a\n", "b\n", 1)),
    ):
        with pytest.raises(VerificationError):
            receipts.check(changed, PUBLIC)


def test_a_log_survives_being_cut_at_every_byte(tmp_path: Path) -> None:
    node = Node("a", tmp_path / "a")
    for _ in range(3):
        node.write()
    expected = node.log.leaves.hashes
    node.log.close()
    whole = (tmp_path / "a" / "own").read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == 10]
    for length in range(0, len(whole) + 1, 13):
        (tmp_path / "a" / "own").write_bytes(whole[:length])
        log = Log(tmp_path / "a", "a", KEYS["a"])
        complete = sum(1 for end in ends if end <= length)
        assert log.leaves.hashes == expected[:complete]
        log.append(entry("a"))
        log.close()


def test_an_entry_changed_on_the_own_disk_is_found(tmp_path: Path) -> None:
    node = Node("a", tmp_path / "a")
    node.write()
    node.log.close()
    path = tmp_path / "a" / "own"
    path.write_bytes(path.read_bytes().replace(b'"no"', b'"ok"'))
    with pytest.raises(VerificationError, match="changed"):
        Log(tmp_path / "a", "a", KEYS["a"])
