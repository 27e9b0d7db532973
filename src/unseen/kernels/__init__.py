"""Number crunching: a facade over the NumPy reference and its native twin."""
