"""Arrays of numbers that nobody sees."""
