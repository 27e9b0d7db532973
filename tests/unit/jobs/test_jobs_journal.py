"""The journal on disk: what was written is there after any crash, and nothing half."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseen.core.errors import UnavailableError, VerificationError
from unseen.jobs.journal import FileJournal
from unseen.party import Door
from unseen.party.gate import Disclosed, StoredPart

KEY = bytes(range(32))
CONTEXT = ("job-1", "train")
ENTRY = Disclosed("train", "scores", 0, Door.REVEAL, ("a",), 12, 1)


def journal(path: Path, *, key: bytes = KEY, context: tuple[str, str] = CONTEXT) -> FileJournal:
    return FileJournal(path / "journal", key, context)


def filled(path: Path) -> FileJournal:
    made = journal(path)
    made.record(ENTRY)
    made.store_part("scores", 0, StoredPart(1, b"part of attempt one", sent=False))
    made.store_part("scores", 0, StoredPart(1, b"part of attempt one", sent=True))
    assert made.load_output_seed(b"s" * 32) == b"s" * 32
    return made


def test_all_is_there_after_a_restart(tmp_path: Path) -> None:
    filled(tmp_path).close()
    again = journal(tmp_path)
    assert again.entries == [ENTRY]
    assert again.load_part("scores", 0) == StoredPart(1, b"part of attempt one", sent=True)
    assert again.load_part("scores", 1) is None
    assert again.load_output_seed(b"t" * 32) == b"s" * 32


def test_a_torn_end_is_cut_off_wherever_it_tears(tmp_path: Path) -> None:
    filled(tmp_path).close()
    whole = (tmp_path / "journal").read_bytes()
    first = 4 + int.from_bytes(whole[:4], "big")
    for length in range(first, len(whole), 7):
        (tmp_path / "journal").write_bytes(whole[:length])
        again = journal(tmp_path)
        assert again.entries == [ENTRY]
        again.record(ENTRY)
        again.close()
        assert journal(tmp_path).entries == [ENTRY, ENTRY]


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    filled(tmp_path).close()
    whole = bytearray((tmp_path / "journal").read_bytes())
    for place in range(4, len(whole) - 40, 61):
        bad = bytearray(whole)
        bad[place] ^= 1
        (tmp_path / "journal").write_bytes(bad)
        try:
            again = journal(tmp_path)
        except VerificationError:
            continue
        assert len(again.entries) <= 1  # a length was hit: the rest counts as torn, nothing wrong is believed


@pytest.mark.parametrize(
    "options", [{"key": bytes(32)}, {"context": ("job-2", "train")}, {"context": ("job-1", "x")}]
)
def test_it_opens_only_where_it_belongs(tmp_path: Path, options: dict) -> None:  # type: ignore[type-arg]
    filled(tmp_path).close()
    with pytest.raises(VerificationError):
        journal(tmp_path, **options)


def test_nothing_readable_lies_on_the_disk(tmp_path: Path) -> None:
    filled(tmp_path).close()
    stored = (tmp_path / "journal").read_bytes()
    assert b"attempt one" not in stored
    assert b"scores" not in stored


# ---------------------------------------------------------------------- checkpoints


def test_a_checkpoint_is_sealed_beside_the_journal_and_replaced_whole(tmp_path: Path) -> None:
    made = filled(tmp_path)
    before = (tmp_path / "journal").stat().st_size
    for slot, data in ((0, b"weights of epoch 1"), (1, b"weights of epoch 2"), (0, b"weights of epoch 3")):
        made.store_checkpoint(slot, data)
    made.close()
    again = journal(tmp_path)
    assert [again.load_checkpoint(slot) for slot in (0, 1, 2)] == [
        b"weights of epoch 3",
        b"weights of epoch 2",
        None,
    ]
    assert sorted(place.name for place in tmp_path.iterdir()) == [
        "journal",
        "journal.checkpoint-0",
        "journal.checkpoint-1",
    ]
    assert (tmp_path / "journal").stat().st_size == before
    assert not any(b"epoch" in place.read_bytes() for place in tmp_path.iterdir())


def test_a_checkpoint_that_is_damaged_or_of_another_place_is_none(tmp_path: Path) -> None:
    made = filled(tmp_path)
    made.store_checkpoint(0, b"weights")
    place = tmp_path / "journal.checkpoint-0"
    sealed = place.read_bytes()
    (tmp_path / "journal.checkpoint-1").write_bytes(sealed)
    assert made.load_checkpoint(1) is None
    for wrong in (sealed[:-1], b"", sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:]):
        place.write_bytes(wrong)
        assert made.load_checkpoint(0) is None
    place.unlink()
    place.mkdir()  # what the disk refuses to read
    assert made.load_checkpoint(0) is None


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = filled(tmp_path)
    made.store_checkpoint(0, b"weights")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("unseen.core.durable.os.fsync", full)
    with pytest.raises(UnavailableError, match="cannot be written"):
        made.store_checkpoint(0, b"newer weights")
    assert made.load_checkpoint(0) == b"weights"
