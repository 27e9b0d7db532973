"""Private set intersection of two files by two organisations, without a node: `unseen psi`, and the same in Python.

    from unseen.client import psi
    psi.match(listen="0.0.0.0:9000", input="a.csv", key="id", output="common.csv",
              my_key="a.key", peer_key="b.pub")

The other side calls `psi.match(connect="a.example:9000", input="b.parquet", key="id", my_key="b.key", peer_key="a.pub")`.
"""

from unseen.client.psi.keys import make_keys
from unseen.client.psi.match import match
from unseen.client.psi.options import Options
from unseen.client.psi.summary import Summary

__all__ = ["Options", "Summary", "make_keys", "match"]
