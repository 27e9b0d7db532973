"""Joint models beside pooled ones."""
