"""Decisions on contracts arrive in any order: what comes before its contract is kept, checked when that comes, and bounded."""

from __future__ import annotations

import base64
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import sqlalchemy as sql
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.crypto.sign import raw_public_key, written
from unseen.govern.contract import Contract
from unseen.govern.signatures import sign, withdrawal
from unseen.node.contracts import DECISION, MOST_EARLY, PROPOSAL, ContractDesk
from unseen.node.database import Database, early_decisions, signatures
from unseen.node.mailroom import Letter, Mailroom
from unseen.scenes.joint_model import Settings, workflow
from unseen.scenes.partition import breast_cancer

KEYS = {name: Ed25519PrivateKey.generate() for name in ("hospital", "laboratory", "helper")}


class World:
    """The laboratory's desk, and letters to it."""

    def __init__(self, folder: Any) -> None:
        self.database = Database(folder / "node.db")
        self.mailroom = Mailroom(self.database)
        nothing: Any = None
        me: Any = SimpleNamespace(name="laboratory")
        ContractDesk(
            me,
            database=self.database,
            mailroom=self.mailroom,
            peers=nothing,
            catalogue=nothing,
            ledger=nothing,
            room=nothing,
        )
        self.sent = dict.fromkeys(KEYS, 0)

    def letter(self, sender: str, kind: str, body: Any) -> None:
        self.sent[sender] += 1
        self.mailroom.take(sender, Letter(self.sent[sender], kind, msgspec.json.encode(body)))

    def states(self) -> dict[str, str]:
        with self.database.read() as view:
            return {row.party: row.state for row in view.execute(sql.select(signatures))}

    def early(self) -> int:
        with self.database.read() as view:
            return int(view.execute(sql.select(sql.func.count()).select_from(early_decisions)).scalar_one())


@pytest.fixture
def world(tmp_path: Any) -> Any:
    made = World(tmp_path)
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def contract() -> Contract:
    identities = {name: written(raw_public_key(key)) for name, key in KEYS.items()}
    return workflow(breast_cancer(), Settings()).contract(identities)


def decided(contract: Contract, sender: str, state: str) -> dict[str, str]:
    signature = b""
    if state == "signed":
        signature = sign(contract, KEYS[sender])
    if state == "withdrawn":
        signature = KEYS[sender].sign(withdrawal(contract, ""))
    text = base64.b64encode(signature).decode()
    return {"contract": contract.id, "state": state, "signature": text, "reason": ""}


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
@pytest.mark.parametrize("last", ["signed", "withdrawn", "refused"])
def test_what_was_decided_is_the_same_in_every_order(
    world: World, contract: Contract, order: tuple[int, ...], last: str
) -> None:
    helper = [decided(contract, "helper", "refused")] if last == "refused" else []
    helper = helper or [decided(contract, "helper", state) for state in dict.fromkeys(("signed", last))]
    letters = [
        [("hospital", PROPOSAL, contract.to_json())],
        [("hospital", DECISION, decided(contract, "hospital", "signed"))],
        [("helper", DECISION, told) for told in helper],
    ]
    for place in order:
        for sender, kind, body in letters[place]:
            world.letter(sender, kind, body)
    assert world.states() == {"hospital": "signed", "helper": last}
    assert world.early() == 0


def test_an_early_decision_is_checked_and_holds_nothing_up(world: World, contract: Contract) -> None:
    forged = decided(contract, "hospital", "signed")
    world.letter("helper", DECISION, forged)
    world.letter("helper", DECISION, {**forged, "state": "final"})
    world.letter("helper", DECISION, {**forged, "signature": "%"})
    world.letter("helper", DECISION, {**forged, "state": "withdrawn", "signature": "AAAA"})
    world.letter("hospital", PROPOSAL, contract.to_json())
    assert world.states() == {}
    assert world.early() == 0
    world.letter("helper", DECISION, decided(contract, "helper", "signed"))
    assert world.states() == {"helper": "signed"}


def test_no_party_fills_the_disk(world: World, contract: Contract) -> None:
    world.letter("hospital", DECISION, decided(contract, "hospital", "signed"))
    for number in range(MOST_EARLY + 5):
        world.letter(
            "helper", DECISION, {**decided(contract, "helper", "refused"), "contract": f"c-{number}"}
        )
    assert world.early() == MOST_EARLY + 1
    world.letter("hospital", PROPOSAL, contract.to_json())
    assert world.states() == {"hospital": "signed"}
