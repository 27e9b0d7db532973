"""How good joint models are beside pooled ones."""
