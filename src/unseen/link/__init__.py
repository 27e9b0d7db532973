"""Transport between two parties.

A :class:`~unseen.link.channel.Link` joins two parties for one attempt of one task and carries named
:class:`~unseen.link.channel.Channel` s. `memory` is the in-process twin for tests and `Local()`.
"""
