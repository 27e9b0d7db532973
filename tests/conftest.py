"""Without a compiler the tests run on the NumPy reference: nodes that they start are allowed to, as their owners would.

Tests are collected as modules are loaded: without garbage collection, for there are nearly ten thousand, and what is there
then stays to the end.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from unseen.client import homes
from unseen.core.loading import loading
from unseen.kernels import backend
from unseen.node.config import NodeConfig

_REFERENCE = backend() == "reference"
_NODES_OF_THEIR_OWN = ("tests/system/scenes/test_scenes_demo.py", "test_bench_areas.py::test_area_runs[job]")

if _REFERENCE:
    _plain = homes.parse

    def _allowed(values: dict[str, Any], **options: Any) -> NodeConfig:
        return _plain({**values, "allow_slow_unhardened_reference_kernels": True}, **options)

    homes.parse = _allowed  # type: ignore[attr-defined]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    with loading():
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Programs that start nodes by themselves find them unwilling; that they say why is tested."""
    if _REFERENCE:
        for item in items:
            if any(name in Path(item.nodeid).as_posix() for name in _NODES_OF_THEIR_OWN):
                item.add_marker(
                    pytest.mark.skip(reason="needs the native kernels: a node refuses the slow ones")
                )
