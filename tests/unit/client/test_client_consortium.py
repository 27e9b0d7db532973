"""A consortium goes as far as signatures allow, and never does a thing twice."""

from __future__ import annotations

import pytest
from api_double import ARTEFACT, ASSET, CONTRACT, JOB, KEY, NOW, OWN_KEY, PROBLEM, Double

from unseen.api.server import serve
from unseen.api.tokens import Tokens
from unseen.client.consortium import Consortium
from unseen.core.errors import DeniedError, UnavailableError, UsageError
from unseen.govern.contract import Contract, PartyTerms
from unseen.node import models as m
from unseen.node.config import NodeConfig, to_toml
from unseen.node.home import Home


class Flow:
    """What the consortium needs of a workflow: a contract that differs each time only in what is made anew."""

    title = "Joint model"
    parties = ("hospital", "laboratory")
    made = 0

    def __init__(self, purpose="screening"):
        self.purpose = purpose

    def contract(self, identities):
        Flow.made += 1
        return Contract(
            title=self.title,
            purpose=self.purpose,
            parties=tuple(
                PartyTerms(name=n, identity=identities[n], roles=("holder",)) for n in self.parties
            ),
            assets=(),
            tasks=(),
            disclosures=(),
            security_level="shared",
            valid_from=NOW,
            valid_until=NOW.replace(year=2030),
            nonce=f"{Flow.made:032d}",
        )


class Others(Double):
    """A node whose peers sign when the test says so."""

    def __init__(self):
        super().__init__()
        self.contracts: list[m.ContractView] = []
        self.jobs: list[m.JobView] = []
        self.signs_at_look = 10**9
        self.looks = 0
        self.job_end = JOB.model_copy(update={"state": "finished"})

    def contract_propose(self, contract):
        self._note("contract_propose")
        view = CONTRACT.model_copy(update={"contract": dict(contract), "id": Contract(**contract).id})
        self.contracts.insert(0, view)
        return view

    def contract_list(self):
        return tuple(view.model_copy(update={"contract": {}}) for view in self.contracts)

    def contract_show(self, contract_id):
        self.looks += 1
        if self.looks >= self.signs_at_look:
            self.all_sign()
        return next(view for view in self.contracts if view.id == contract_id)

    def contract_sign(self, contract_id):
        self._note("contract_sign")
        self.all_sign()
        return self.contracts[0]

    def all_sign(self, state="signed", reason=""):
        signatures = tuple(
            m.SignatureView(
                party=party, state="signed" if party == "hospital" else state, at=NOW, reason=reason
            )
            for party in CONTRACT.parties
        )
        whole = state if state != "pending" else "proposed"
        self.contracts[0] = self.contracts[0].model_copy(update={"signatures": signatures, "state": whole})

    def job_start(self, contract_id):
        self._note("job_start")
        self.jobs.insert(0, JOB.model_copy(update={"contract": contract_id}))
        return self.jobs[0]

    def job_list(self):
        return tuple(self.jobs)

    def job_show(self, job_id):
        return self.jobs[0]

    def job_watch(self, job_id, *, after=0, timeout_s=None):
        yield m.JobEvent(seq=1, at=NOW, job=job_id, kind="job", state="running")
        self.jobs[0] = self.job_end.model_copy(update={"contract": self.jobs[0].contract})

    def count(self, operation):
        return sum(name == operation for name, _ in self.calls)


@pytest.fixture
def node():
    return Others()


@pytest.fixture
def world(node):
    return Consortium(node, ("hospital", "laboratory"))


def test_without_signatures_it_says_whom_it_waits_for(world, node):
    standing = world.run(Flow())
    assert standing.waiting_for == ("laboratory",)
    assert not standing.done
    assert "Waiting for laboratory" in str(standing)
    assert node.count("job_start") == 0


def test_asked_again_it_proposes_nothing_twice_and_goes_on_when_they_signed(world, node):
    world.run(Flow())
    world.run(Flow())
    assert node.count("contract_propose") == 1
    node.all_sign()
    seen = []
    standing = world.run(Flow(), watch=seen.append)
    assert standing.done
    assert standing.result.artefacts == (ARTEFACT,)
    assert [event.seq for event in seen] == [1]
    assert world.run(Flow()).done
    assert node.count("job_start") == 1
    assert world.run(Flow(), again=True).done
    assert node.count("job_start") == 2


def test_another_workflow_of_the_same_title_is_another_contract(world, node):
    world.run(Flow())
    world.run(Flow("research"))
    assert node.count("contract_propose") == 2


def test_it_waits_as_long_as_it_is_told(world, node, monkeypatch):
    naps = []
    monkeypatch.setattr("unseen.client.consortium.time.sleep", naps.append)
    node.signs_at_look = 3
    assert world.run(Flow(), wait_s=3600).done
    assert len(naps) == 3
    assert all(0 < nap <= 2 for nap in naps)


def test_a_contract_that_the_others_proposed_is_signed_and_run(world, node):
    world.run(Flow())
    pending = tuple(
        m.SignatureView(party=party, state="pending" if party == "hospital" else "signed", at=NOW)
        for party in CONTRACT.parties
    )
    node.contracts[0] = node.contracts[0].model_copy(update={"signatures": pending})
    assert world.run(Flow()).done
    assert node.count("contract_sign") == 1
    assert node.count("contract_propose") == 1


def test_a_refusal_while_waiting_is_told_with_its_reason(world, node, monkeypatch):
    monkeypatch.setattr(
        "unseen.client.consortium.time.sleep", lambda _nap: node.all_sign("refused", "wrong columns")
    )
    with pytest.raises(DeniedError) as caught:
        world.run(Flow(), wait_s=10)
    assert caught.value.party == "laboratory"
    assert "wrong columns" in caught.value.why


def test_a_refused_contract_is_not_found_again(world, node):
    world.run(Flow())
    node.all_sign("refused")
    world.run(Flow())
    assert node.count("contract_propose") == 2


def test_a_failed_job_raises_what_the_node_says(world, node):
    world.run(Flow())
    node.all_sign()
    node.job_end = JOB.model_copy(update={"state": "failed", "problem": PROBLEM})
    with pytest.raises(UnavailableError) as caught:
        world.run(Flow())
    assert caught.value.party == "laboratory"
    node.job_end = JOB.model_copy(update={"state": "finished"})
    assert world.run(Flow()).done  # a failed run does not stand in the way


def test_standing_looks_and_does_nothing(world, node):
    assert world.standing(Flow()) is None
    world.run(Flow())
    assert world.standing(Flow()).waiting_for == ("laboratory",)
    node.all_sign()
    world.run(Flow())
    calls = len(node.calls)
    assert world.standing(Flow()).done
    assert {name for name, _ in node.calls[calls:]} <= {"job_result", "peer_list"}


def test_strangers_and_missing_peers(node):
    with pytest.raises(UsageError, match="laboratory"):
        Consortium(node, ("hospital",)).run(Flow())
    with pytest.raises(UsageError, match="helper"):
        Consortium(node, ("laboratory", "helper")).run(Flow())


def test_terms_come_from_the_catalogue(world):
    assert world.asset("hospital", "diagnoses") == ASSET.terms
    with pytest.raises(UsageError, match="offer"):
        world.asset("laboratory", "diagnoses")
    with pytest.raises(UsageError, match="catalogue"):
        world.asset("hospital", "nothing")
    assert world.identities == {"hospital": OWN_KEY, "laboratory": KEY}


def _served(folder):
    config = NodeConfig(name="hospital", home=folder)
    Home(folder).make()
    (folder / "node.toml").write_text(to_toml(config))
    Tokens(folder).write_owner()
    return config


def test_from_a_file_by_home_or_by_address(tmp_path):
    home = tmp_path / "home"
    config = _served(home)
    file = tmp_path / "consortium.toml"
    with serve(Double(), config) as address:
        file.write_text('home = "home"\nparties = ["laboratory"]\n')
        with Consortium(file) as world:
            assert world.parties == ("hospital", "laboratory")
        file.write_text(
            f'address = "{address}"\ntoken_file = "home/owner.token"\nparties = ["hospital", "laboratory"]\n'
        )
        with Consortium(str(file)) as world:
            assert world.me.name == "hospital"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("x = [", "TOML"),
        ('home = "h"\n', "parties"),
        ('parties = ["a"]\n', "either home or address"),
        ('home = "h"\naddress = "a:1"\nparties = ["a"]\n', "either home or address"),
        ('address = "a:1"\nparties = ["a"]\n', "token_file"),
        ('address = "a:1"\ntoken_file = "none"\nparties = ["a"]\n', "cannot be read"),
        ('home = "h"\nparties = ["a"]\nmore = 1\n', "more"),
        ('home = "nowhere"\nparties = ["a"]\n', "no node at"),
    ],
)
def test_a_wrong_file_is_a_clear_error(content, words, tmp_path):
    file = tmp_path / "consortium.toml"
    file.write_text(content)
    with pytest.raises(UsageError) as caught:
        Consortium(file)
    assert words in str(caught.value)


def test_no_file(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        Consortium(tmp_path / "none.toml")
