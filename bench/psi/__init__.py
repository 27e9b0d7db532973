"""Private set intersection beside SecretFlow's."""
