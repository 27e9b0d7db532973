"""Means of columns over the common rows, and their number (隐私求交均值), of no few: what is revealed are count and sums.

Against whom, assumption, cost: :mod:`unseen.psi.protocols.circuit`, and a comparison. What noise does: :mod:`unseen.psi.answers`.
"""

from __future__ import annotations

from unseen.core.cost import Cost, Network
from unseen.psi import answers
from unseen.psi.protocol import Answer, Hidden, Mode, Output, Question
from unseen.psi.protocols import circuit

SUMMARY = (
    "means of columns over the common rows, and their number; of fewer than agreed only that they are fewer"
)
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
    table = answers.told(found, answers.everyone(found), question, at_least=max(question.at_least, 1))
    return None if table is None else (answers.mean_of(table[0]),)
