"""How secrets are shared and multiplied: one file per protocol, found by name."""
