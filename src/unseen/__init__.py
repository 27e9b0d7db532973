"""Compute together on data that nobody has to show (数据可用不可见).

The package is a house of floors; `docs/architecture.md` walks through them. Users start at
:mod:`unseen.client`; protocol authors at :mod:`unseen.party`.
"""

__version__ = "0.1.0"
