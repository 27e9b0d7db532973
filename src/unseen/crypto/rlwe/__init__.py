"""Lattice encryption (ring learning with errors) for products between two parties.

One party encrypts its numbers under its own key; the other multiplies the ciphertexts by its own numbers, adds a mask, hides
what multiplying left in the noise, and returns them; the first decrypts product + mask. :mod:`.params` has the
parameters and what follows from them, :mod:`.scheme` the encryption, :mod:`.slots` products number by number and
:mod:`.matrices` products of matrices. Nothing here sends anything: see :mod:`unseen.mpc.lattice`.
"""
