"""The link between two parties."""
