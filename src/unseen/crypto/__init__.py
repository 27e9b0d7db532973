"""Recipes over well-kept libraries: sign, seal, derive, commit, expand, group, OPRF.

Primitives are OpenSSL's (through `cryptography`) and libsodium's (through `rbcl`), but for curve25519 and ristretto255,
which the native kernels compute where they are built; nothing in this package implements a cipher or a curve, but for
the lattice encryption of :mod:`unseen.crypto.rlwe`.
"""
