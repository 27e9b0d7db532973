"""Recipes over well-kept libraries: sign, seal, derive, commit, expand, group, OPRF.

Primitives are OpenSSL's (through `cryptography`) and libsodium's (ristretto255, through `rbcl`); nothing here
implements a cipher or a curve.
"""
