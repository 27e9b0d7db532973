"""What answers have told about this node's assets: added up by budget, over all contracts, and never forgotten.

Written in the transaction that counts a run, so before its first message; a resumed run has its rows already. The log keeps it too
(`run-started`), so that a restored backup catches up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sql

from unseen.dp.budget import Spent, total
from unseen.govern.contract import AssetTerms, Contract
from unseen.govern.spending import account, check_budget, told_by_a_run
from unseen.jobs.step import told_by
from unseen.ledger.entries import Entry
from unseen.node.database import Database, Transaction, spent


def charge(transaction: Transaction, contract: Contract, job: str, assets: Mapping[str, AssetTerms]) -> None:
    """Check what a run will tell about own assets against their budgets, and write it down.

    Parameters
    ----------
    assets
        Own assets, by name, on their terms of today.

    Raises
    ------
    DeniedError
        A budget does not allow it; nothing was written.
    """
    more = told_by_a_run(contract, assets, told_by)
    for asset in contract.assets:
        own = assets.get(asset.name)
        if own is not None and account(own) in more:
            check_budget(own, _of(transaction.connection, account(own)), more[account(own)])
    for name, told in more.items():
        _write(transaction, name, job, contract.id, told)


def body_of(database: Database, job: str) -> dict[str, Any]:
    """What a run spent, as the log says it; empty if nothing."""
    with database.read() as view:
        rows = view.execute(sql.select(spent).where(spent.c.job == job).order_by(spent.c.budget)).all()
    told = {
        row.budget: {"answers": row.answers, "epsilon": repr(row.epsilon), "exact": row.exact} for row in rows
    }
    return {"spent": told} if told else {}


def spent_of(database: Database, budget: str) -> Spent:
    """What was spent of a budget so far."""
    with database.read() as view:
        return _of(view, budget)


def catch_up(transaction: Transaction, entries: Iterable[Entry]) -> None:
    """Take over from the own log what this database does not know."""
    for entry in entries:
        for name, told in entry.body.get("spent", {}).items():
            known = (spent.c.budget == name) & (spent.c.job == entry.job)
            if transaction.execute(sql.select(spent.c.job).where(known)).first() is None:
                amount = Spent(told["answers"], float(told["epsilon"]), told["exact"])
                _write(transaction, name, str(entry.job), str(entry.contract), amount)


def _of(view: sql.Connection, budget: str) -> Spent:
    rows = view.execute(sql.select(spent).where(spent.c.budget == budget)).all()
    return total(Spent(row.answers, row.epsilon, row.exact) for row in rows)


def _write(transaction: Transaction, budget: str, job: str, contract: str, told: Spent) -> None:
    transaction.execute(
        sql.insert(spent).values(
            budget=budget,
            job=job,
            contract=contract,
            answers=told.answers,
            epsilon=told.epsilon,
            exact=told.exact,
        )
    )
