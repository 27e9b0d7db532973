"""Three real nodes train on bound inputs; the audit of the bundle says what was checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from node_world import HOLDINGS, PARTIES, over, start

from unseen.client import together
from unseen.client.loopback import Loopback
from unseen.jobs.evidence import audit_bundle
from unseen.scenes.joint_model import Settings, workflow


@pytest.mark.long
def test_the_audit_proves_what_training_ran_on(tmp_path: Path) -> None:
    with Loopback(PARTIES, folder=tmp_path) as world:
        flow = workflow(HOLDINGS, Settings(iterations=2, bound=True))
        nodes = dict(world.nodes)
        together.bring(nodes, flow, tmp_path)
        contract = together.agree(nodes, flow, "hospital")
        job = start(world, contract)
        for party in PARTIES:
            over(world, party, job, 100)
            assert world[party].job_show(job).state == "finished", world[party].job_show(job).problem
        report = audit_bundle(together.evidence(nodes, "hospital", contract))
    assert report.verdict == "holds", report.to_text()
    proved = [line.what for line in report.lines if line.mark == "proved"]
    for holder in ("hospital", "laboratory"):
        assert any(f"the input of {holder} passed the check" in what for what in proved)
