"""What a person gave, as the node's values; all mistakes at once."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from unseen.core.errors import UsageError
from unseen.node.models import AddAsset


def add_asset(**fields: Any) -> AddAsset:
    """The request to add an asset.

    Raises
    ------
    UsageError
        Wrong fields: all of them are listed.
    """
    try:
        return AddAsset(**fields)
    except ValidationError as error:
        problems = tuple(
            f"{'.'.join(map(str, item['loc']))}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        )
        raise UsageError("This asset cannot be added.", problems=problems) from error
