"""How many common rows have a column in each interval (隐私求交直方图), and the means of others over them; of no few in any interval.

Against whom, assumption: :mod:`unseen.psi.protocols.circuit`. Cost: that, and a comparison of each place with each edge. What noise does:
:mod:`unseen.psi.answers`.
"""

from __future__ import annotations

from itertools import pairwise

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.psi import answers
from unseen.psi.protocol import Answer, Hidden, Mode, Output, Question
from unseen.psi.protocols import circuit

SUMMARY = "how many common rows lie in each interval of a column, and means over them; of an interval of fewer than agreed only that they are fewer"
OUTPUT: Output = "answers"
SECURITIES, HOLDERS, LEAKS, assumption = (
    circuit.SECURITIES,
    circuit.HOLDERS,
    answers.LEAKS,
    circuit.assumption,
)

_FEWEST, _EDGES = 2, 10


def estimate(sizes: tuple[int, ...], mode: Mode, network: Network) -> Cost:
    """See :class:`unseen.psi.protocol.Protocol`; of a column with ten edges."""
    return circuit.estimate(sizes, mode, network, columns=(1, *[0] * (len(sizes) - 1)), comparisons=_EDGES)


def answer(found: Hidden, question: Question) -> tuple[Answer, ...] | None:
    """See :class:`unseen.psi.protocol.Answering`."""
    answers.check(question, of=False, by=True)
    limits = [float(edge) for edge in question.edges]
    if question.by is None or len(limits) < _FEWEST or not all(low < high for low, high in pairwise(limits)):
        raise UsageError("A histogram has two edges or more, which ascend.")
    values = answers.column_of(found, question.by)
    lower = values.engine.concatenate([(values < edge).reshape(1, -1) for edge in limits])
    # below one edge and not below the one before
    inside = (lower[1:] ^ lower[:-1]) & answers.everyone(found)
    at_least = max(question.at_least, 1 if question.of else 0)
    table = answers.told(found, inside, question, at_least=at_least)
    if table is None:
        return None
    return tuple(answers.mean_of(row) if question.of else answers.answer_of(row, row[1:2]) for row in table)
