"""Functions of secret arrays, each with its published error."""
