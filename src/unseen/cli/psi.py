"""`unseen psi`: intersect two organisations' files without a node, and the keys for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from unseen.cli.session import COMMON, Common, emit, say

if TYPE_CHECKING:
    from unseen.core.events import ProgressSink


def psi(
    *,
    input: Path,  # noqa: A002 - the option's name
    key: Annotated[list[str], Parameter(negative="")],
    listen: str | None = None,
    connect: str | None = None,
    output: Path | None = None,
    my_key: Annotated[Path, Parameter(env_var="UNSEEN_PSI_KEY")] = Path("psi.key"),
    peer_key: Annotated[str, Parameter(env_var="UNSEEN_PSI_PEER")] = "peer.pub",
    protocol: str = "auto",
    security: Literal["semi-honest", "malicious"] = "semi-honest",
    symmetric: Annotated[bool, Parameter(negative="")] = False,
    output_to: Literal["me", "peer", "both"] | None = None,
    duplicates: Literal["refuse", "first", "all"] = "refuse",
    rows: Literal["matched", "all"] = "matched",
    order: Literal["aligned", "input"] = "aligned",
    delimiter: str = ",",
    bound: int | None = None,
    memory: int = 2048,
    partitions: int = 1,
    work: Path | None = None,
    fresh: Annotated[bool, Parameter(negative="")] = False,
    bandwidth: float = 1000.0,
    latency: float = 0.2,
    wait: float = 600.0,
    common: Common = COMMON,
) -> None:
    """Find the rows that two organisations' files have in common, and tell nothing else. Needs no node.

    One side listens, the other connects. Both make keys first (`unseen psi-keys`), exchange the public ones, and compare
    fingerprints. What each side learns is printed with the result.

    Parameters
    ----------
    input
        CSV (also compressed), Parquet or Arrow file.
    key
        Column that identifies a row, again for more columns; `COLUMN=KIND` names its kind (integer, phone:CN, email, …).
    listen
        HOST:PORT to wait on for the other side.
    connect
        HOST:PORT where the other side waits.
    output
        File for the common rows (.csv, .csv.gz, .parquet, .arrow).
    my_key
        Own private key file.
    peer_key
        The other side's public key: file, or `ed25519:…`.
    protocol
        Name of a protocol, or auto.
    security
        Against parties that follow the protocol and look, or that deviate.
    symmetric
        Rest on hash functions and ciphers only, beyond the base transfers.
    output_to
        Who learns the result, seen from here; if not said: the sides that have an output.
    duplicates
        An id that comes more than once: refuse, take its first row, or all of its rows.
    rows
        matched: common rows only; all: all own rows, with a column that says which are common.
    order
        aligned: the same order at both sides; input: as in the file.
    delimiter
        Of a CSV input: a character, or comma, semicolon, tab, bar.
    bound
        Tell the other side only that there are at most so many ids.
    memory
        MiB to use; larger sets go through the disk in partitions.
    partitions
        At least so many.
    work
        Folder for partitions on disk and for what a killed run had finished; beside the output if not said.
    fresh
        Forget an interrupted run (both sides must say so).
    bandwidth
        Mbit/s, for the choice of the protocol.
    latency
        Milliseconds one way, for the choice of the protocol.
    wait
        Seconds to wait for the other side.
    """
    from unseen.client import psi as client  # noqa: PLC0415 - after the arguments are known to be right

    with _shown(common) as sink:
        summary = client.match(
            listen=listen,
            connect=connect,
            my_key=my_key,
            peer_key=peer_key,
            wait_s=wait,
            progress=sink,
            input=input,
            key=key,
            output=output,
            output_to=output_to,
            protocol=protocol,
            security=security,
            symmetric=symmetric,
            duplicates=duplicates,
            rows=rows,
            order=order,
            delimiter=delimiter,
            bound=bound,
            memory_mib=memory,
            partitions=partitions,
            work=work,
            fresh=fresh,
            bandwidth_mbit=bandwidth,
            latency_ms=latency,
        )
    emit(common, summary.to_dict(), _show)


def psi_keys(name: Path = Path("psi"), *, common: Common = COMMON) -> None:
    """Make a key pair for `unseen psi`: NAME.key stays here, NAME.pub goes to the other side.

    Parameters
    ----------
    name
        Path of the files without their endings.
    """
    from unseen.client.psi import make_keys  # noqa: PLC0415 - as above

    private, public, fingerprint = make_keys(name)
    answer = {"private": str(private), "public": str(public), "fingerprint": fingerprint}
    emit(common, answer, _show_keys)


def _show_keys(answer: dict[str, Any]) -> None:
    from unseen.cli.show import facts  # noqa: PLC0415 - as above

    facts(answer.items())
    say(f"Keep {answer['private']}; give {answer['public']} to the other side, and compare fingerprints.")


def _show(summary: dict[str, Any]) -> None:
    from unseen.cli.show import facts, size  # noqa: PLC0415 - as above

    seconds = summary["seconds"]
    facts(
        [
            (
                "common ids",
                summary["matched"] if summary["matched"] is not None else "told to the other side only",
            ),
            ("own ids", f"{summary['ids']:,} in {summary['rows']:,} rows"),
            ("the other's ids", f"{summary['peer_ids']:,} at most"),
            ("written", f"{summary['written']:,} rows to {summary['output']}" if summary["output"] else None),
            ("protocol", f"{summary['protocol']}, {summary['security']}"),
            ("why", summary["reason"]),
            ("rests on", summary["assumption"]),
            ("trust", summary["trust"]),
            *((f"the {who} learned", what) for who, what in summary["learned"].items()),
            ("partitions", f"{summary['partitions']}, begun at {summary['resumed_at']}"),
            ("seconds", ", ".join(f"{name} {value:.2f}" for name, value in seconds.items())),
            ("sent / received", f"{size(summary['bytes_sent'])} / {size(summary['bytes_received'])}"),
            ("peak memory", size(summary["peak_memory_bytes"])),
            ("agreement", summary["agreement"]),
        ]
    )


@contextmanager
def _shown(common: Common) -> Iterator[ProgressSink]:
    """A bar on a terminal; elsewhere a line for each phase."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    from unseen.cli.show import console, plain  # noqa: PLC0415 - as above
    from unseen.core.events import Progress as Seen  # noqa: PLC0415
    from unseen.core.events import silent  # noqa: PLC0415

    screen = console(errors=True)
    if common.json:
        yield silent
        return
    if not screen.is_terminal:
        said: list[str] = []

        def line(seen: Seen) -> None:
            text = f"{seen.step}: {seen.note}" if seen.step in {"meet", "write"} and seen.note else seen.step
            if text not in said[-1:]:
                said.append(text)
                say(plain(text))

        yield line
        return
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=screen) as drawn:
        bars: dict[str, TaskID] = {}

        def bar(seen: Seen) -> None:
            if seen.step not in bars:
                for earlier in bars.values():
                    drawn.update(earlier, total=1, completed=1)
                bars[seen.step] = drawn.add_task(f"{seen.step:<10}", total=None, note="")
            drawn.update(
                bars[seen.step], total=seen.total or None, completed=seen.done, note=plain(seen.note)[:60]
            )

        yield bar
