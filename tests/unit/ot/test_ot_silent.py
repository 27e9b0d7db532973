"""Silent transfers: the correlation holds in any number and round, choices may be one's own, wrong use is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.ot import lpn_params, silent
from unseen.ot.correlation import ReceiverCorrelation, SenderCorrelation
from unseen.party import Party
from unseen.testing.simulate import Run, run

SMALL = lpn_params.PrimalSet("small", 32, 8, 6, 2048, "for tests", "2026-11")


def go(*counts: int, choices: list[Any] | None = None, **options: Any) -> Run[Any]:
    def program(party: Party) -> Any:
        if party.name == "a":
            sender = silent.Sender(party, "b", **options)
            return [sender.correlated(count) for count in counts]
        receiver = silent.Receiver(party, "a", **options)
        return [
            receiver.correlated(count, own)
            for count, own in zip(counts, choices or [None] * len(counts), strict=True)
        ]

    return run(program, ("a", "b"))


def holds(sent: SenderCorrelation, received: ReceiverCorrelation) -> bool:
    expected = sent.rows ^ sent.delta & (np.uint8(0) - received.choices)[:, None]
    return bool((expected == received.rows).all())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lpn_params, "primal", lambda name: SMALL)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_many_rounds(security: str) -> None:
    counts = [0, 1, 7, 900, 2048, 5000, 3]
    outcome = go(*counts, security=security)
    for count, sent, received in zip(counts, outcome.results["a"], outcome.results["b"], strict=True):
        assert len(sent) == len(received) == count
        assert holds(sent, received)
    assert len({sent.delta.tobytes() for sent in outcome.results["a"]}) == 1
    rows = np.concatenate([sent.rows for sent in outcome.results["a"]])
    assert len(np.unique(rows, axis=0)) == sum(counts)
    choices = np.concatenate([received.choices for received in outcome.results["b"]])
    assert abs(choices.mean() - 0.5) < 6 * 0.5 / len(choices) ** 0.5


@pytest.mark.usefixtures("small")
def test_rows_do_not_depend_on_how_many_trees_are_expanded_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_bytes", lambda count: bytes(range(count)))
    found = []
    for leaves in (1, 3 << 6, 1 << 15):
        monkeypatch.setattr(silent, "TOGETHER", leaves)
        outcome = go(5, 3000, security="semi-honest")
        assert all(holds(*pair) for pair in zip(*(outcome.results[side] for side in "ab"), strict=True))
        found.append(b"".join(sent.rows.tobytes() for sent in outcome.results["a"]))
    assert len(set(found)) == 1


@pytest.mark.usefixtures("small")
def test_own_choices() -> None:
    counts = [13, 0, 2500, 64]
    wanted = [np.random.default_rng(n).integers(0, 2, n, np.uint8) for n in counts]
    outcome = go(*counts, choices=[*wanted[:3], None], security="semi-honest")
    for sent, received, own in zip(outcome.results["a"], outcome.results["b"], wanted[:3], strict=False):
        np.testing.assert_array_equal(received.choices, own)
        assert holds(sent, received)
    assert holds(outcome.results["a"][3], outcome.results["b"][3])


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_a_real_set_and_its_cost(security: str) -> None:
    outcome = go(1_500_000, security=security, parameters="b10")
    sent, received = outcome.results["a"][0], outcome.results["b"][0]
    assert holds(sent, received)
    bits = np.concatenate([received.choices[: 1 << 16], np.unpackbits(sent.rows[: 1 << 12].reshape(-1))])
    assert (
        abs(bits.mean() - 0.5) < 6 * 0.5 / len(bits) ** 0.5 + 1 / 256
    )  # the lowest bit of a row is not random
    assert outcome.bytes_sent < 650_000
    assert outcome.rounds("b") <= (6 if security == "semi-honest" else 12)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("each", [1, 300, 1400])
def test_a_sender_is_ahead(each: int) -> None:
    """So that two who are both senders and receivers may both choose first, any number of times."""

    def program(party: Party) -> Any:
        streams = {name: party.stream(name) for name in ("a gives", "b gives")}
        peer = "b" if party.name == "a" else "a"

        def sender() -> silent.Sender:
            return silent.Sender(streams[f"{party.name} gives"], peer, security="semi-honest", ahead=1400)

        def receiver() -> silent.Receiver:
            return silent.Receiver(streams[f"{peer} gives"], peer, security="semi-honest")

        if party.name == "a":
            give, take = sender(), receiver()
        else:
            take, give = receiver(), sender()
        own = np.random.default_rng(each).integers(0, 2, each, np.uint8)
        made = [
            (take.correlated(each, own if turn % 2 else None), give.correlated(each)) for turn in range(12)
        ]
        return [part[0] for part in made], [part[1] for part in made]

    results = run(program, ("a", "b"), timeout_s=20).results
    for giver, taker in (("a", "b"), ("b", "a")):
        sent, received = results[giver][1], results[taker][0]
        assert all(holds(*pair) for pair in zip(sent, received, strict=True))
        rows = np.concatenate([half.rows for half in sent])
        assert len(np.unique(rows, axis=0)) == 12 * each


@pytest.mark.parametrize(
    ("options", "text"),
    [({"security": "none"}, "Security"), ({"security": "malicious", "parameters": "b9"}, "no set")],
)
def test_wrong_use_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        go(1, **options)


@pytest.mark.parametrize("options", [{"security": "malicious", "ahead": 1}, {"ahead": 1 << 22}])
def test_a_sender_cannot_be_further_ahead_than_a_round(options: dict[str, Any]) -> None:
    def program(party: Party) -> None:
        if party.name == "a":
            silent.Sender(party, "b", **{"security": "semi-honest"} | options)

    with pytest.raises(UsageError, match="ahead"):
        run(program, ("a", "b"))


@pytest.mark.usefixtures("small")
def test_negative_counts_are_refused() -> None:
    with pytest.raises(LocalProtocolError, match="cannot be made"):
        go(-1, security="semi-honest")
