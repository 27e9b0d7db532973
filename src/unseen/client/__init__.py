"""The Python API: workflows, and the environments they run in (Local, Loopback, Consortium)."""
