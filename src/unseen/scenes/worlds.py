"""Made-up worlds for the scenes, where there are no data of the user's own: people and firms with a known causal structure.

Each is a structural model: hidden causes are drawn first, every column is a function of some of them and of noise of its own,
and so is the label. What a holder sees are the columns of its kind of organisation, so that each sees a part of the causes
and none sees all. docs/scenes.md draws the graphs; the numbers stand here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unseen.scenes.partition import Holding

Floats = NDArray[np.float64]
KEPT = 0.88
"""Share of the people or firms that each holder knows, drawn for each alone."""


def credit(*, rows: int = 6000, seed: int = 2026) -> tuple[Holding, Holding]:
    """Bank (label `default`) and payment partner: people who asked for a loan.

    Hidden: `means` (lasting wealth), `strain` (money running out), `thrift` (habit). means and thrift lower strain; strain and the
    burden of the loan cause default. The bank sees mostly means and the loan, the partner mostly strain.
    """
    rng = np.random.default_rng(seed)
    noise = _Noise(rng, rows)
    means, thrift = noise(), noise()
    strain = -0.3 * means - 0.3 * thrift + 0.9 * noise()
    income = np.exp(8.3 + 0.45 * means + 0.2 * noise())
    amount = np.exp(8.9 + 0.3 * means + 0.1 * strain + 0.45 * noise())
    burden = np.log(amount / income)
    chance = _squash(-2.8 + 1.6 * strain + 0.75 * burden - 0.35 * means)
    bank = {
        "default": rng.random(rows) < chance,
        "income": income,
        "amount": amount,
        "term_months": rng.choice([12, 24, 36, 48, 60], rows),
        "age": np.clip(44 + 8 * means + 9 * noise(), 19, 80),
        "years_with_bank": np.clip(6 + 2 * thrift + 4 * noise(), 0, None),
        "savings": np.exp(7 + 0.8 * means + 0.6 * thrift + 0.6 * noise()),
        "card_use": _squash(0.5 * strain - 0.3 * means + 0.9 * noise()),
        "late_payments": rng.poisson(np.exp(-1.4 + 0.35 * strain)),
    }
    partner = {
        "payments_a_month": rng.poisson(np.exp(2.8 + 0.25 * means)),
        "declined": rng.poisson(np.exp(-0.5 + 0.8 * strain)),
        "cash_advances": rng.poisson(np.exp(-0.9 + 0.6 * strain - 0.2 * thrift)),
        "balance_before_payday": np.exp(5 - 0.7 * strain + 0.3 * means + 0.5 * noise()),
        "bills_on_time": _squash(1.5 + 0.7 * thrift - 0.6 * strain + 0.5 * noise()),
        "night_share": _squash(-1.8 + 0.3 * strain + 0.6 * noise()),
        "gambling_share": _squash(-3.2 + 0.45 * strain - 0.3 * thrift + 0.7 * noise()),
        "merchants": rng.poisson(np.exp(2.2 + 0.2 * means + 0.1 * thrift)),
    }
    ids = _ids(rng, rows, "C")
    return (
        _holding("bank", "loans", "customer_id", ids, bank, rng, label="default"),
        _holding("payments", "payments", "customer_id", ids, partner, rng),
    )


def firms(*, rows: int = 4000, seed: int = 2026) -> tuple[Holding, Holding, Holding]:
    """Bank (label `default`), tax office and registry: small firms that asked for a guaranteed loan.

    Hidden: `size`, `health` (earning power), `order` (how well it is led). order helps health; health, order and the burden of the
    loan cause default. The tax office sees health, the registry order, the bank the loan and a little of each.
    """
    rng = np.random.default_rng(seed)
    noise = _Noise(rng, rows)
    size, order = noise(), noise()
    health = 0.4 * order + 0.9 * noise()
    turnover = np.exp(12.5 + 0.9 * size + 0.2 * noise())
    loan = np.exp(10.6 + 0.7 * size - 0.15 * health + 0.45 * noise())
    burden = np.log(loan / turnover) + 1.9
    chance = _squash(-2.4 - 1.3 * health - 0.9 * order + 0.7 * burden)
    bank = {
        "default": rng.random(rows) < chance,
        "loan": loan,
        "term_months": rng.choice([12, 24, 36, 60, 84], rows),
        "mean_balance": np.exp(9 + 0.7 * size + 0.25 * health + 0.5 * noise()),
        "overdraft_days": rng.poisson(np.exp(1.1 - 0.25 * health)),
        "years_with_bank": np.clip(7 + 1.5 * order + 4 * noise(), 0, None),
        "covered": _squash(0.4 * size + 0.9 * noise()),
    }
    tax = {
        "turnover": turnover,
        "growth": 0.04 + 0.12 * health + 0.15 * noise(),
        "margin": 0.08 + 0.06 * health + 0.04 * noise(),
        "vat_days_late": rng.poisson(np.exp(1.2 - 0.45 * health - 0.45 * order)),
        "corrections": rng.poisson(np.exp(-0.8 - 0.45 * order)),
        "wage_tax": np.exp(9.5 + 0.8 * size + 0.15 * health + 0.3 * noise()),
        "export_share": _squash(-1.6 + 0.25 * size + 0.8 * noise()),
    }
    registry = {
        "years": np.clip(9 + 2.5 * order + 5 * noise(), 0.5, None),
        "capital": np.exp(9.8 + 0.7 * size + 0.6 * noise()),
        "staff": 1 + rng.poisson(np.exp(1.6 + 0.6 * size)),
        "changes_of_directors": rng.poisson(np.exp(-0.7 - 0.6 * order)),
        "court_cases": rng.poisson(np.exp(-1.2 - 0.45 * order - 0.35 * health)),
        "accounts_days_late": rng.poisson(np.exp(2.0 - 0.5 * order)),
        "branches": rng.poisson(np.exp(0.1 + 0.4 * size)),
    }
    ids = _ids(rng, rows, "F")
    return (
        _holding("bank", "loans", "firm_id", ids, bank, rng, label="default"),
        _holding("tax", "returns", "firm_id", ids, tax, rng),
        _holding("registry", "register", "firm_id", ids, registry, rng),
    )


class _Noise:
    """Standard normal noise of so many rows, fresh at each call."""

    def __init__(self, rng: np.random.Generator, rows: int) -> None:
        self._rng, self._rows = rng, rows

    def __call__(self) -> Floats:
        return self._rng.normal(size=self._rows)


def _squash(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def _ids(rng: np.random.Generator, rows: int, letter: str) -> list[str]:
    return [f"{letter}{number:07d}" for number in rng.choice(10**7, rows, replace=False)]


def _holding(
    party: str,
    asset: str,
    key: str,
    ids: list[str],
    columns: dict[str, NDArray[Any]],
    rng: np.random.Generator,
    label: str | None = None,
) -> Holding:
    """Some of the rows, in an order of the holder's own; numbers with four digits after the point."""
    arrays = {
        name: pa.array(values.astype(np.int64) if values.dtype != np.float64 else np.round(values, 4))
        for name, values in columns.items()
    }
    whole = pa.table({key: ids, **arrays})
    kept = rng.permutation(len(ids))[: round(KEPT * len(ids))]
    return Holding(party, asset, whole.take(pa.array(kept)), key, label)
