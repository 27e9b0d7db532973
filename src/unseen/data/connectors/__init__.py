"""Where tables come from: one file per format, found by name."""
