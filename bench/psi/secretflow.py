"""The rival's two parties, as processes that stay up, and one intersection of theirs as a measurement."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.report import Sample
from bench.rivals import Rival, python_rival
from bench.shaping import Shaper

NAME = "spu 0.9.5"
_REQUIREMENTS = ["spu==0.9.5"]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Spu:
    """Both parties, as fresh processes for every run, as ours are: memory that an earlier run left warm helps neither."""

    def __enter__(self) -> Self:
        with self._party():  # RivalMissingError if it cannot be had
            return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing stays."""

    def _party(self) -> Rival:
        return python_rival("spu", _REQUIREMENTS, Path(__file__).with_name("spu_party.py"))

    def run(self, mode: str, inputs: tuple[Path, Path], target: Path, shaper: Shaper | None = None) -> Sample:
        """One intersection of two CSV files with a column `id`, result to both, aligned.

        Parameters
        ----------
        shaper
            The network between them; what it carried is counted. Without one, nothing is counted.
        """
        ports = (_free_port(), _free_port())
        addresses = [[f"127.0.0.1:{port}" for port in ports] for _ in ports]
        before = shaper.carried() if shaper else (0, 0)
        if shaper:
            addresses[0][1] = f"127.0.0.1:{shaper.way(to=ports[1])}"
            addresses[1][0] = f"127.0.0.1:{shaper.way(to=ports[0], backward=True)}"
        with self._party() as first, self._party() as second, ThreadPoolExecutor(2) as both:
            parties = (first, second)
            told = list(
                both.map(
                    lambda rank: parties[rank].ask(
                        rank=rank,
                        addresses=addresses[rank],
                        mode=mode,
                        input=str(inputs[rank]),
                        output=str(target / f"spu-{rank}.csv"),
                    ),
                    range(2),
                )
            )
        carried = sum(shaper.carried()) - sum(before) if shaper else None
        return Sample(
            seconds=max(item["seconds"] for item in told),
            bytes=carried,
            peak_mib=max(item["peak_mib"] for item in told),
        )
