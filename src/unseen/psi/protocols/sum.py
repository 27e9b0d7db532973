"""Sums of columns over the common rows (隐私求交求和), of no few. How many there are is not told, only whether they are enough.

Against whom, assumption, cost: :mod:`unseen.psi.protocols.circuit`, and a comparison. What noise does: :mod:`unseen.psi.answers`.
"""

from __future__ import annotations

from unseen.core.cost import Cost, Network
from unseen.psi import answers
from unseen.psi.protocol import Answer, Hidden, Mode, Output, Question
from unseen.psi.protocols import circuit

SUMMARY = "sums of columns over the common rows, without their number; of fewer than agreed only that they are fewer"
OUTPUT: Output = "answers"
SECURITIES, HOLDERS, LEAKS, assumption = (
    circuit.SECURITIES,
    circuit.HOLDERS,
    answers.LEAKS,
    circuit.assumption,
)


def estimate(sizes: tuple[int, ...], mode: Mode, network: Network) -> Cost:
    """See :class:`unseen.psi.protocol.Protocol`; of one column."""
    return circuit.estimate(sizes, mode, network, columns=(1, *[0] * (len(sizes) - 1)))


def answer(found: Hidden, question: Question) -> tuple[Answer, ...] | None:
    """See :class:`unseen.psi.protocol.Answering`."""
    answers.check(question, of=True, by=False)
    everyone = answers.everyone(found)
    table = answers.told(found, everyone, question, at_least=question.at_least, counts=False)
    return None if table is None else (Answer(bool(table[0, 0] == 0), 0, tuple(table[0, 1:].tolist())),)
