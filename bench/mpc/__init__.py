"""The secret-shared engine beside SPU."""
