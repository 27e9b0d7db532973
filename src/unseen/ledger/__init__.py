"""The append-only, signed and witnessed evidence of a consortium."""
