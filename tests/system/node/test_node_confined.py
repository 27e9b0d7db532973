"""Two nodes under one account: with `confine.on` neither can open what lies in the other's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseen.client.loopback import Loopback
from unseen.core.errors import UnseenError
from unseen.node.confine import available
from unseen.node.models import AddAsset

pytestmark = pytest.mark.skipif(not available(), reason="this kernel has no Landlock")


def test_a_node_cannot_open_the_others_folder(tmp_path: Path) -> None:
    with Loopback(("hospital", "laboratory"), tmp_path, settings={"*": {"confine": {"on": True}}}) as world:
        for party in world:
            (world.home(party) / "rows.csv").write_text("id,x\n1,2\n2,3\n")

        def add(file: Path) -> None:
            terms = AddAsset(name="rows", path=str(file), id_columns=("id",), steps=("psi",), purposes=("p",))
            world["hospital"].asset_add(terms)

        with pytest.raises(UnseenError, match=r"rows\.csv"):
            add(world.home("laboratory") / "rows.csv")
        add(world.home("hospital") / "rows.csv")
        assert [asset.terms.name for asset in world["hospital"].asset_list()] == ["rows"]


def test_further_folders_are_allowed_by_name(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "rows.csv").write_text("id,x\n1,2\n2,3\n")
    settings = {"hospital": {"confine": {"on": True, "allow": [str(data)]}}}
    with Loopback(("hospital",), tmp_path / "homes", settings=settings) as world:
        terms = AddAsset(name="rows", path=str(data / "rows.csv"), steps=("psi",), purposes=("p",))
        assert world["hospital"].asset_add(terms).terms.rows == 2
