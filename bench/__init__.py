"""Figures that the documentation states, each area run by `python -m bench.AREA`.

What areas share: :mod:`bench.report` (cases, JSON lines, tables in docs/benchmarks), :mod:`bench.parties` (every party
a process of its own, over bare TCP or the real link) and :mod:`bench.rivals` (what we are held against, in virtual
environments of their own).
"""
