"""Runnable demonstrations on the public API only."""
