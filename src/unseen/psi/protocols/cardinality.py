"""How many rows are common (隐私求交基数), of no few: a count of shared bits, compared with the least number under shares.

Against whom, assumption, cost: :mod:`unseen.psi.protocols.circuit`, and a comparison. What noise does: :mod:`unseen.psi.answers`.
"""

from __future__ import annotations

from unseen.core.cost import Cost, Network
from unseen.psi import answers
from unseen.psi.protocol import Answer, Hidden, Mode, Output, Question
from unseen.psi.protocols import circuit

SUMMARY = "how many rows are common; of fewer than agreed only that they are fewer"
OUTPUT: Output = "answers"
SECURITIES, HOLDERS, LEAKS, assumption = (
    circuit.SECURITIES,
    circuit.HOLDERS,
    answers.LEAKS,
    circuit.assumption,
)


def estimate(sizes: tuple[int, ...], mode: Mode, network: Network) -> Cost:
    """See :class:`unseen.psi.protocol.Protocol`; the count and its comparison are nothing beside the intersection."""
    return circuit.estimate(sizes, mode, network)


def answer(found: Hidden, question: Question) -> tuple[Answer, ...] | None:
    """See :class:`unseen.psi.protocol.Answering`."""
    answers.check(question, of=False, by=False)
    table = answers.told(found, answers.everyone(found), question, at_least=question.at_least)
    return None if table is None else (answers.answer_of(table[0], table[0, 1:2]),)
