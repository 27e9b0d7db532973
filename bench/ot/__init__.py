"""Oblivious transfer between two parties."""
