"""The rival's parties, as processes that stay up, and one intersection of theirs as a measurement."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.report import Sample
from bench.rivals import Rival, RivalMissingError, python_rival
from bench.shaping import Shaper

NAME = "spu 0.9.5"
_REQUIREMENTS = ["spu==0.9.5"]
ATTEMPTS = 3


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Spu:
    """All parties, as fresh processes for every run, as ours are: memory that an earlier run left warm helps neither."""

    def __enter__(self) -> Self:
        with self._party():  # RivalMissingError if it cannot be had
            return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing stays."""

    def _party(self) -> Rival:
        return python_rival("spu", _REQUIREMENTS, Path(__file__).with_name("spu_party.py"))

    def run(
        self,
        mode: str,
        inputs: Sequence[Path],
        target: Path,
        shaper: Shaper | None = None,
        *,
        patience_s: float = 3600.0,
    ) -> tuple[Sample, int]:
        """One intersection of CSV files with a column `id`, one a party, result to all, aligned; and how many ids are common.

        Parameters
        ----------
        shaper
            The network between any two; what it carried is counted. Without one, nothing is counted.
        patience_s
            How long it may take.

        Raises
        ------
        RivalMissingError
            It took longer three times: now and then its processes wait for one another and do nothing.
        """
        for attempt in range(ATTEMPTS):
            try:
                return self._run(mode, inputs, target, shaper, patience_s)
            except RivalMissingError as error:
                if attempt == ATTEMPTS - 1:
                    raise
                sys.stderr.write(f"again: {mode}: {error}\n")
        raise AssertionError

    def _run(
        self, mode: str, inputs: Sequence[Path], target: Path, shaper: Shaper | None, patience_s: float
    ) -> tuple[Sample, int]:
        ranks = range(len(inputs))
        ports = [_free_port() for _ in ranks]
        addresses = [[f"127.0.0.1:{port}" for port in ports] for _ in ranks]
        before = shaper.carried() if shaper else (0, 0)
        if shaper:
            for me in ranks:
                for peer in ranks:
                    if peer != me:
                        way = shaper.way(to=ports[peer], backward=peer < me)
                        addresses[me][peer] = f"127.0.0.1:{way}"
        with ExitStack() as stack:
            parties = [stack.enter_context(self._party()) for _ in ranks]
            together = stack.enter_context(ThreadPoolExecutor(len(parties)))
            told = list(
                together.map(
                    lambda rank: parties[rank].ask(
                        patience_s=patience_s,
                        rank=rank,
                        addresses=addresses[rank],
                        mode=mode,
                        input=str(inputs[rank]),
                        output=str(target / f"spu-{rank}.csv"),
                    ),
                    ranks,
                )
            )
        carried = sum(shaper.carried()) - sum(before) if shaper else None
        sample = Sample(
            seconds=max(item["seconds"] for item in told),
            bytes=carried,
            peak_mib=max(item["peak_mib"] for item in told),
        )
        return sample, told[0]["common"]
