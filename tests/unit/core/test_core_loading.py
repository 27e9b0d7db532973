"""Modules are loaded without collecting garbage, and collecting goes on whatever happens."""

from __future__ import annotations

import gc

import pytest

from unseen.core.loading import loading


def test_nothing_is_collected_while_modules_load_and_all_of_it_stays():
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_a_module_that_cannot_be_loaded_leaves_collecting_on():
    with pytest.raises(ImportError), loading():
        raise ImportError
    assert gc.isenabled()
