"""An installed function runs on real nodes; where its code is another than the contract pins, nothing runs."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from unseen.client import together
from unseen.client.loopback import Loopback
from unseen.core.errors import UnseenError
from unseen.jobs import function as functions
from unseen.scenes import difference

PARTIES = ("hospital", "laboratory", "helper")
CODE = """
from unseen.jobs.function import Input, Output, function

@function(
    version=1,
    summary="A sum over one group.",
    inputs={"value": Input("a number"), "group": Input("who counts", kind=bool)},
    outputs={"sum": Output("sum of the values of the group")},
)
def total(value, group):
    return {"sum": (value * group).sum()}
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that all nodes on this machine have installed."""
    folder = tmp_path / "site"
    (folder / "clinicsum").mkdir(parents=True)
    (folder / "clinicsum" / "__init__.py").write_text("")
    (folder / "clinicsum" / "sums.py").write_text(CODE)
    info = folder / "clinicsum-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: clinicsum\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[unseen.functions]\nclinic-sum = clinicsum.sums:total\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    yield folder / "clinicsum"
    for name in [name for name in sys.modules if name.startswith("clinicsum")]:
        del sys.modules[name]
    functions._AS_LOADED.pop("clinicsum.sums", None)


@pytest.mark.long
def test_a_function_on_real_nodes_and_after_its_code_was_swapped(package: Path, tmp_path: Path) -> None:
    study = difference.study()
    params = study._sketches[-1].params
    params |= {"function": "clinic-sum", "options": {}}
    with Loopback(PARTIES, folder=tmp_path / "nodes") as world:
        outcome = study.run(world)
        assert outcome.at("hospital")["difference.answer"].meta["sum"] > 0
        nodes = {name: world[name] for name in PARTIES}
        contract = together.agree(nodes, study, "hospital")
        (package / "sums.py").write_text(CODE.replace("value * group", "value * 1"))
        with pytest.raises(UnseenError) as caught:
            together.run(nodes, "hospital", contract)
        assert "function" in str(caught.value)
