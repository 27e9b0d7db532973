"""The kernels in NumPy and plain Python: slow, plain, and what the native ones are held against, one file per family."""
