"""Whole models in the formats of other software: a file each, found by name, with a function `written(model) -> bytes`."""
