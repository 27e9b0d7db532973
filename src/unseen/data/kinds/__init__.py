"""Kinds of identifiers and their canonical text: one file per kind, found by name (see :mod:`unseen.data.canonical`)."""
