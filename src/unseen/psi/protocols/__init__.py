"""How sets are intersected: one file per protocol, found by name."""
