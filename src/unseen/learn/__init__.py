"""Learning on shared data."""
