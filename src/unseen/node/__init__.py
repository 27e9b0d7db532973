"""The daemon of one party."""
