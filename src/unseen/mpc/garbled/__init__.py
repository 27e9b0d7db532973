"""Garbled circuits (混淆电路): two parties evaluate a Boolean circuit in one round trip, whatever its depth.

How
    The garbler gives every wire two labels of 128 bits, L for 0 and L ^ Delta for 1, and sends for each AND a table of two
    rows by which whoever has one label of each operand gets one label of the result. XOR and INV cost nothing. The
    evaluator walks the circuit with one label a wire. The lowest bit of Delta is 1, so the lowest bits of the two ends'
    labels of a wire are an XOR share of its value: that is how values come in and go out.
    No label is ever sent. Labels of bits that the evaluator brings, or that both have shares of, are rows of correlated
    oblivious transfers, q and q ^ c Delta, moved by the garbler's share times Delta. Labels of bits that only the garbler
    has are drawn by both from a common seed: the garbler takes what was drawn as the label of its bit.
Source
    Half gates: Zahur, Rosulek, Evans, "Two Halves Make a Whole" (EUROCRYPT 2015). Free XOR: Kolesnikov, Schneider, "Improved
    Garbled Circuit" (ICALP 2008). The hash is AES re-keyed for every AND, from a start that is random for every run: Guo,
    Katz, Wang, Weng, Yu, "Better Concrete Security for Half-Gates Garbling" (CRYPTO 2020).
Against whom
    Semi-honest parties. A garbler that deviates can garble another circuit, an evaluator or the network that changes bytes makes
    results wrong: neither is noticed. An evaluator cannot turn the label of a value into that of the other one.
What it leaks
    The circuit, and how many instances there are. Results only as XOR shares: what becomes plaintext passes the gate.
Assumption
    AES-128 is an ideal cipher (the hash: multi-instance tweakable circular correlation robustness), and what the source of
    transfers needs. At most 16 instances share a key, which costs 5 of its 128 bits.
Cost
    32 bytes an AND; about 4 bytes a bit of the evaluator's or of shared bits (:mod:`unseen.ot.sources`), nothing for the
    garbler's own. One round trip, after a set-up of 12 kB.
"""

from __future__ import annotations

from unseen.mpc.garbled.sides import Evaluator, Garbler, Owner, open_side, reveal

__all__ = ["Evaluator", "Garbler", "Owner", "open_side", "reveal"]
