"""Trees under additive encryption are the plain trainer's, and XGBoost's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from unseen.core.errors import DeniedError, RemoteProtocolError, UsageError
from unseen.crypto.additive import SecretKey, fixed_base, generate
from unseen.crypto.prg import Prg
from unseen.kernels import montgomery
from unseen.learn.vertical.trees import federated, plain, search
from unseen.learn.vertical.trees.federated import EarlyStop, Grown, exchange
from unseen.learn.vertical.trees.model import Booster, Settings, Splits
from unseen.learn.vertical.trees.objectives import loss, probabilities
from unseen.learn.vertical.trees.packing import FRACTION_BITS, Packing, quantised
from unseen.party import Disclosure, Door, Party
from unseen.testing.dying import DyingJournal
from unseen.testing.simulate import Run, run, simulate

DATA = Path(__file__).parents[2] / "vectors" / "data" / "trees_xgboost.json"
CASES = json.loads(DATA.read_text())["cases"]
NAMES = (
    federated.BINS,
    federated.SUMS,
    federated.WAYS,
    federated.MEMBERS,
    federated.SPLITS,
    federated.STOP,
)


@pytest.fixture(scope="module", autouse=True)
def one_key() -> Iterator[None]:
    """The same keys in all tests, and small tables: making them takes longer than the rest."""

    @cache
    def made_once(scheme: str, bits: int) -> SecretKey:
        with pytest.warns(UserWarning, match="112 bits"):
            return generate(scheme, bits)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixed_base, "TABLE_BYTES", 1 << 20)  # large ones take long to make
        patch.setattr(federated, "generate", made_once)
        yield


def told(holders: tuple[str, ...]) -> list[Disclosure]:
    return [Disclosure(name, name, holders, Door.RELEASE, times=10_000) for name in NAMES]


def program(
    codes: np.ndarray, bins: list[int], labels: np.ndarray, settings: Settings, cut: list[int], **options: Any
):
    """Columns parted at `cut` among a, b and so on; the label at the first."""
    holders = tuple("abcd"[: len(cut) + 1])
    parts = np.split(np.arange(len(codes)), cut)

    def body(party: Party, **own: Any) -> Grown:
        mine = parts[holders.index(party.name)]
        ways = [settings.monotone[column] for column in mine] if settings.monotone else None
        leads = party.name == "a"
        return federated.fit(
            party,
            codes[mine],
            [bins[column] for column in mine],
            labels if leads else None,
            replace(settings, monotone=None),
            ways=ways,
            holders=holders,
            label_holder="a",
            key_bits=2048,
            **({name: value for name, value in options.items() if leads or name == "scheme"}),
            **own,
        )

    return body, holders


def grow(*arguments: Any, **options: Any) -> Run[Grown]:
    body, holders = program(*arguments, **options)
    return run(body, holders, disclosures=told(holders), pool_workers=2, timeout_s=100)


def joined(grown: Run[Grown], cut: list[int]) -> Splits:
    """All holders' splits as those of pooled columns."""
    parts = [grown.results[name].splits for name in sorted(grown.results)]
    out = Splits.none(*parts[0].column.shape)
    for part, first in zip(parts, [0, *cut], strict=True):
        mine = part.column >= 0
        assert (out.column[mine] == -1).all()
        out.column[mine] = part.column[mine] + first
        out.bin[mine], out.missing_left[mine] = part.bin[mine], part.missing_left[mine]
    return out


def made(rows: int = 300, columns: int = 5, *, seed: int = 1) -> tuple[np.ndarray, list[int], np.ndarray]:
    rng = np.random.default_rng(seed)
    bins = [4 + column % 3 for column in range(columns)]
    codes = np.stack(
        [rng.integers(0, count + (column % 2), rows) for column, count in enumerate(bins)]
    ).astype(np.uint8)
    score = codes[0] - codes[1] * (codes[2] > 2) + 0.5 * codes[3] + rng.normal(size=rows)
    return codes, bins, score - np.median(score)


@pytest.mark.parametrize("case", [1, *(pytest.param(case, marks=[pytest.mark.long]) for case in (0, 2, 3))])
def test_scores_are_those_of_xgboost(case: int) -> None:
    given = CASES[case]
    settings = dict(given["settings"])
    settings["monotone"] = settings["monotone"] and tuple(settings["monotone"])
    codes, labels = np.array(given["codes"], np.uint8), np.array(given["labels"])
    cut = [2] if case % 2 else [1, 3]
    grown = grow(codes, given["bins"], labels, Settings(**settings), cut)
    leader = grown.results["a"]
    booster = Booster(leader.settings, joined(grown, cut), leader.weights)
    assert np.abs(plain.scores(booster, codes, given["bins"]) - np.array(given["scores"])).max() < 1e-4
    assert [grown.results[name].weights for name in sorted(grown.results)][1:] == [None] * len(cut)


@pytest.mark.parametrize(
    ("scheme", "settings"),
    [
        ("ou", Settings(objective="squared", rounds=2, depth=3, min_child_weight=0.0)),
        pytest.param(
            "paillier", Settings(rounds=1, depth=2, monotone=(1, 0, -1, 0, 0)), marks=[pytest.mark.long]
        ),
    ],
)
def test_trees_are_those_of_the_plain_trainer(scheme: str, settings: Settings) -> None:
    codes, bins, score = made()
    labels = score if settings.objective == "squared" else (score > 0).astype(float)
    grown = grow(codes, bins, labels, settings, [2], scheme=scheme)
    due = plain.fit(codes, bins, labels, settings)
    assert due.splits is not None
    np.testing.assert_array_equal(joined(grown, [2]).column, due.splits.column)
    np.testing.assert_array_equal(joined(grown, [2]).bin, due.splits.bin)
    np.testing.assert_array_equal(joined(grown, [2]).missing_left, due.splits.missing_left)
    assert np.abs(grown.results["a"].weights - due.weights).max() < 1e-5
    gains = grown.results["a"].gains
    assert {name: len(table) for name, table in gains.items()} == {"a": 2, "b": 3}
    used = [(due.splits.column == column).any() for column in range(5)]
    assert [bool(gain > 0) for name in "ab" for gain in gains[name]] == used


def test_rows_and_columns_that_a_tree_does_not_see() -> None:
    codes, bins, score = made()
    labels, settings = (score > 0).astype(float), Settings(rounds=2, depth=2)
    rng = np.random.default_rng(2)
    seen, columns = rng.random((2, 300)) < 0.7, np.array([[1, 0, 1, 1, 0], [0, 1, 1, 0, 1]], bool)
    grown = grow(codes, bins, labels, settings, [2], seen=seen, columns=columns)
    due = plain.fit(codes, bins, labels, settings, rows=seen, columns=columns)
    assert due.splits is not None
    np.testing.assert_array_equal(joined(grown, [2]).column, due.splits.column)
    assert np.abs(grown.results["a"].weights - due.weights).max() < 1e-5


def test_it_stops_where_rows_held_out_get_no_better() -> None:
    codes, bins, score = made(200)
    labels = (score > 0).astype(float)
    held = np.arange(200) % 3 == 0
    settings = Settings(rounds=8, depth=2, learning_rate=1.0)
    grown = grow(codes, bins, labels, settings, [2], stop=EarlyStop(held, 1))
    leader, other = grown.results["a"], grown.results["b"]
    best = int(np.argmin(leader.losses)) + 1
    assert len(leader.losses) < 8
    assert leader.settings.rounds == other.settings.rounds == best == len(leader.weights)
    assert len(other.splits.column) == best
    due = plain.fit(codes[:, ~held], bins, labels[~held], Settings(rounds=best, depth=2, learning_rate=1.0))
    assert np.abs(leader.weights - due.weights).max() < 1e-5
    scores = plain.scores(due, codes[:, held], bins)
    assert leader.losses[best - 1] == pytest.approx(loss(scores, labels[held], "binary"), abs=1e-6)


def test_a_holder_without_columns_and_constant_columns() -> None:
    codes, bins, score = made(60)
    codes[4] = 0
    labels, settings = (score > 0).astype(float), Settings(rounds=1, depth=2)
    grown = grow(codes, bins, labels, settings, [0, 5])
    due = plain.fit(codes, bins, labels, settings)
    assert due.splits is not None
    np.testing.assert_array_equal(grown.results["b"].splits.column, due.splits.column)
    for name in "ac":
        assert (grown.results[name].splits.column == -1).all()


def test_nothing_passes_that_is_not_in_the_contract() -> None:
    codes, bins, score = made(60)
    body, holders = program(codes, bins, (score > 0).astype(float), Settings(rounds=1, depth=1), [2])
    without = [item for item in told(holders) if item.name != federated.SUMS]
    errors = simulate(body, holders, disclosures=without).errors
    assert isinstance(errors["b"], DeniedError)


def test_labels_and_monotone_columns_are_checked() -> None:
    codes, bins, _ = made(60)
    for labels, settings in (
        (np.full(60, 2.0), Settings(rounds=1)),
        (None, Settings(rounds=1)),
    ):
        body, holders = program(codes, bins, labels, settings, [2])
        assert isinstance(simulate(body, holders, disclosures=told(holders)).errors["a"], UsageError)
    for settings, ways in ((Settings(monotone=(0, 0)), None), (Settings(), (1,)), (Settings(), (1, 2))):
        with pytest.raises(UsageError, match="monotone"):
            federated.fit(
                None, codes[:2], bins[:2], None, settings, ways=ways, holders="ab", label_holder="a"
            )  # type: ignore[arg-type]


# ---------------------------------------------------------------------- pieces


def packing_of(rows: int) -> Packing:
    return Packing.of(rows, federated.generate("ou", 2048).public)


@pytest.mark.parametrize("rows", [1, 45_211, (1 << 26) - 1])
def test_sums_of_any_sign_are_told_apart(rows: int) -> None:
    packing = packing_of(rows)
    most = rows << FRACTION_BITS
    pairs = [
        (most, most),
        (-most, 0),
        (-most, most),
        (0, 0),
        (-1, 0),
        (-1, most),
        (1, 1),
        (0, most),
        (most, 0),
    ]
    numbers = []
    for at in range(0, len(pairs), packing.slots):
        part = pairs[at : at + packing.slots]
        numbers.append(sum(((g << packing.part) + h) << (packing.slot * k) for k, (g, h) in enumerate(part)))
    assert packing.sums(numbers, len(pairs)).T.tolist() == [list(pair) for pair in pairs]
    assert packing.slots * packing.slot < 681


@pytest.mark.parametrize("rows", [1, 45_211, (1 << 26) - 1])
def test_numbers_of_rows(rows: int) -> None:
    packing = packing_of(rows)
    most = 1 << FRACTION_BITS
    codes = np.array([[most, -most, 0, -1, 5], [most, 0, most, 3, 0]])
    due = [(int(g) << packing.part) + int(h) + packing.offset for g, h in codes.T]
    assert montgomery.to_numbers(packing.words(codes)) == due
    assert max(due).bit_length() <= packing.message_bits


def test_rounding_is_right_on_average() -> None:
    pair = np.stack([np.full(20_000, -0.3), np.full(20_000, 0.1)])
    pair[:, 0] = 0.8, 0.24
    codes, units = quantised(pair, Prg.fresh())
    assert np.abs(codes).max() <= 1 << FRACTION_BITS
    assert np.abs(codes * units[:, None] - pair).max() <= units.max()
    assert np.abs((codes * units[:, None] - pair).mean(axis=1)).max() < 6 * units.max() / 20_000**0.5
    assert not quantised(np.zeros((2, 3)), Prg.fresh())[0].any()


def test_too_many_rows_do_not_pack() -> None:
    with pytest.raises(UsageError):
        packing_of(1 << 26)


@pytest.mark.parametrize("seed", range(6))
def test_the_search_finds_what_the_plain_trainer_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bins = [1, 5, 3, 4]
    monotone = (0, 1, 0, -1) if seed % 2 else None
    settings = Settings(penalty=0.5, min_child_weight=float(seed % 3), monotone=monotone)
    tables = [rng.normal(size=(2, 3, count + 1)) for count in bins]
    for table in tables:
        table[1] = rng.integers(0, 4, table[1].shape)  # some empty
        table[0] = np.where(table[1] == 0, 0, table[0])
        table[:, :, -1] *= rng.integers(0, 2)
    total = tables[1].sum(axis=2)
    level = search.Level(total, np.full(3, -1.0), np.full(3, 0.8))
    for table in tables:  # the same sums in every column
        table[:, :, 0] += total - table.sum(axis=2)
    allowed = np.array([True, True, seed != 3, True])
    found = search.best_splits(tables, level, settings, ways=np.array(monotone or (0,) * 4), allowed=allowed)
    for node in range(3):
        splits = Splits.none(1, 1)
        sums = plain.Node(*total[:, node], -1.0, 0.8)
        given = ([table[:, node] for table in tables], sums, settings, allowed, splits)
        below = plain._split(*given, np.zeros(4), (0, 0))
        assert found.column[node] == splits.column[0, 0]
        if found.column[node] >= 0:
            assert (found.bin[node], found.missing_left[node]) == (
                splits.bin[0, 0],
                splits.missing_left[0, 0],
            )
            way = np.array([(monotone or (0,) * 4)[found.column[node]]])
            one = search.Level(total[:, node : node + 1], np.full(1, -1.0), np.full(1, 0.8))
            both = np.array([[child.first for child in below], [child.second for child in below]])
            made_level = search.children(one, both, way, settings)
            np.testing.assert_allclose(made_level.low, [child.low for child in below])
            np.testing.assert_allclose(made_level.high, [child.high for child in below])


def test_losses() -> None:
    scores, labels = np.array([[0.3, -2.0, 1.0]]), np.array([1.0, 0.0, 0.0])
    told_ = probabilities(scores, "binary")[0]
    assert loss(scores, labels, "binary") == pytest.approx(
        -np.log([told_[0], 1 - told_[1], 1 - told_[2]]).mean()
    )
    assert loss(scores, labels, "squared") == pytest.approx(((scores[0] - labels) ** 2).mean() / 2)
    three = np.array([[1.0, 0.0], [0.0, 2.0], [0.5, 0.0]])
    due = -np.log(probabilities(three, "softmax")[[2, 1], [0, 1]]).mean()
    assert loss(three, np.array([2.0, 1.0]), "softmax") == pytest.approx(due)


def test_errors_name_the_party() -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        exchange.flags_of(np.zeros(1, np.uint8), 9, "b")
    assert refused.value.party == "b"


# ---------------------------------------------------------------------- checkpoints


def grow_again(
    seed: bytes, deaths: list[tuple[str, int] | None], settings: Settings, labels: np.ndarray, **options: Any
) -> Run[Any]:
    """Attempt after attempt, with who dies in each after which of its checkpoints; what came of the last."""
    codes, bins, _ = made(rows=120)
    journals = {name: DyingJournal() for name in "abc"}
    for place, journal in enumerate(journals.values()):
        journal.load_output_seed(bytes([place]) + seed[1:])
    for attempt, death in enumerate(deaths, 1):
        for name, journal in journals.items():
            journal.next_attempt((death[1], "after") if death and death[0] == name else None)
        body, holders = program(codes, bins, labels, settings, [2, 3], **options)

        def with_checkpoints(party: Party, body: Any = body) -> tuple[Grown, Any]:
            return body(party, keep=party.checkpoints("round", settings.rounds)), party.resumed

        outcome = simulate(
            with_checkpoints,
            holders,
            disclosures=told(holders),
            journals=journals,
            attempt=attempt,
            timeout_s=60,
        )
        assert bool(outcome.errors) == bool(death), outcome.errors
    return outcome


@pytest.mark.parametrize(
    "case",
    ["binary", *(pytest.param(case, marks=[pytest.mark.long]) for case in ("softmax", "stops early"))],
)
def test_trees_that_were_cut_off_go_on_as_they_would_have(case: str) -> None:
    """The same trees to the last bit, for output randomness goes on where it stood; the key is another."""
    signal = made(rows=120)[2]
    labels, settings, options = (signal > 0) * 1.0, Settings(rounds=3, depth=2), dict[str, Any]()
    if case == "softmax":
        labels = np.digitize(signal, [-1.0, 1.0]) * 1.0
        settings = Settings(rounds=3, depth=2, objective="softmax", classes=3)
    if case == "stops early":
        settings = Settings(rounds=30, depth=3, learning_rate=1.0, min_child_weight=0.0)
        options["stop"] = EarlyStop(np.arange(120) % 3 == 0, 1)
    whole = grow_again(bytes(32), [None], settings, labels, **options)
    cut = grow_again(bytes(32), [("b", 1), ("a", 1), None], settings, labels, **options)
    for name in "abc":
        (want, never), (found, resumed) = whole.results[name], cut.results[name]
        assert never is None
        assert resumed.done in (1, 2)
        for field in ("column", "bin", "missing_left"):
            assert np.array_equal(getattr(want.splits, field), getattr(found.splits, field))
        assert (want.settings, want.losses) == (found.settings, found.losses)
        if name == "a":
            assert np.array_equal(want.weights, found.weights)
            assert all(np.array_equal(want.gains[holder], found.gains[holder]) for holder in "abc")
    for name, journal in cut.journals.items():
        told_once = {(item.name, item.index) for item in journal.entries}
        assert told_once == {(item.name, item.index) for item in whole.journals[name].entries}


def test_what_is_stored_is_each_ones_own_and_no_key() -> None:
    signal = made(rows=120)[2]
    last = grow_again(bytes(32), [None], Settings(rounds=1, depth=1), (signal > 0) * 1.0)
    splits = {"column", "bin", "missing_left"}
    of_leader = {"scores", "weights", "losses", *(f"gains {name}" for name in "abc")}
    for name, journal in last.journals.items():
        (stored,) = journal.kept.values()  # type: ignore[attr-defined]
        heads = next(
            item for item in msgspec.msgpack.decode(stored) if isinstance(item, dict) and "bin" in item
        )
        assert set(heads) == splits | (of_leader if name == "a" else set())
