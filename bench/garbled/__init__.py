"""Garbled circuits between two parties."""
