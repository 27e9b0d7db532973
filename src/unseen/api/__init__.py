"""HTTP API of one node, on its internal address only."""
