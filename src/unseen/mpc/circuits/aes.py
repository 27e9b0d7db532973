"""AES-128 as a circuit (FIPS 197): two inputs of 128 bits, key and block, one output; 6,400 ANDs.

Bit i of byte k is bit 8 k + i of a word.

Source of the S-box, 32 ANDs on the longest way of 6: Boyar and Peralta, "A new combinational logic minimization technique
with applications to cryptology" (SEA 2010).
"""

from __future__ import annotations

from functools import cache

from unseen.mpc.circuits.circuit import Circuit
from unseen.mpc.circuits.words import Word, trace

_ROUNDS = 10


@cache
def aes128() -> Circuit:
    """The circuit."""
    return trace(_encrypt, 128, 128)


def substitute(byte: Word) -> Word:
    """The S-box of a word of eight bits."""
    x7, x6, x5, x4, x3, x2, x1, x0 = (byte[place] for place in range(8))
    y14, y13, y9, y8, t0 = x3 ^ x5, x0 ^ x6, x0 ^ x3, x0 ^ x5, x1 ^ x2
    y1 = t0 ^ x7
    y4, y12, y2, y5 = y1 ^ x3, y13 ^ y14, y1 ^ x0, y1 ^ x6
    y3, t1 = y5 ^ y8, x4 ^ y12
    y15, y20 = t1 ^ x5, t1 ^ x1
    y6, y10, y11 = y15 ^ x7, y15 ^ t0, y20 ^ y9
    y7, y17, y19, y16 = x7 ^ y11, y10 ^ y11, y10 ^ y8, t0 ^ y11
    y21, y18 = y13 ^ y16, x0 ^ y16
    t2, t7, t12 = y12 & y15, y13 & y16, y9 & y11
    t14, t16 = (y14 & y17) ^ t12, (y8 & y10) ^ t12
    t21 = (y3 & y6) ^ t2 ^ t14 ^ y20
    t22 = (y4 & x7) ^ t2 ^ t16 ^ y19
    t23 = (y5 & y1) ^ t7 ^ t14 ^ y21
    t24 = (y2 & y7) ^ t7 ^ t16 ^ y18
    t25, t26, t30 = t21 ^ t22, t21 & t23, t23 ^ t24
    t27 = t24 ^ t26
    t29, t33 = (t25 & t27) ^ t22, ((t22 ^ t26) & t30) ^ t24
    t34, t36 = t23 ^ t33, t24 & (t27 ^ t33)
    t37, t40 = t36 ^ t34, t25 ^ (t29 & (t27 ^ t36))
    t41, t42, t43, t44 = t40 ^ t37, t29 ^ t33, t29 ^ t40, t33 ^ t37
    t45 = t42 ^ t41
    z0, z1, z2, z3, z4, z5 = t44 & y15, t37 & y6, t33 & x7, t43 & y16, t40 & y1, t29 & y7
    z6, z7, z8, z9, z10, z11 = t42 & y11, t45 & y17, t41 & y10, t44 & y12, t37 & y3, t33 & y4
    z12, z13, z14, z15, z16, z17 = t43 & y13, t40 & y5, t29 & y2, t42 & y9, t45 & y14, t41 & y8
    t46, t48, t50, t53, t54 = z15 ^ z16, z5 ^ z13, z2 ^ z12, z0 ^ z3, z6 ^ z7
    t57, t58, t59 = t50 ^ t53, z4 ^ t46, z3 ^ t54
    t62, t63, t64 = z7 ^ z8 ^ t58, z9 ^ z10 ^ t58, z4 ^ t59
    t65, t66 = z14 ^ t57 ^ t62, z1 ^ t63
    s3 = t53 ^ t66
    lowest = ~(t48 ^ t46 ^ t57)
    return lowest.joined(
        ~(z12 ^ t48 ^ t62),
        z10 ^ z11 ^ t65,
        z2 ^ z5 ^ t66,
        s3,
        ~(z16 ^ z17 ^ t64 ^ t65),
        ~(t64 ^ s3),
        t59 ^ t63,
    )


def _doubled(byte: Word) -> Word:
    """Times x in AES's field."""
    top = byte[7]
    return Word.joined(top, byte[0] ^ top, byte[1], byte[2] ^ top, byte[3] ^ top, byte[4:7])


def _mixed(column: list[Word]) -> list[Word]:
    total = column[0] ^ column[1] ^ column[2] ^ column[3]
    return [column[row] ^ total ^ _doubled(column[row] ^ column[(row + 1) % 4]) for row in range(4)]


def _encrypt(key: Word, block: Word) -> Word:
    words = [[key[32 * w + 8 * b : 32 * w + 8 * b + 8] for b in range(4)] for w in range(4)]
    state = [block[8 * b : 8 * b + 8] ^ words[b // 4][b % 4] for b in range(16)]
    constant = 1
    for turn in range(1, _ROUNDS + 1):
        last = words[3]
        turned = [substitute(last[(b + 1) % 4]) for b in range(4)]
        turned[0] = turned[0] ^ constant
        for w in range(4):
            words[w] = [
                byte ^ above for byte, above in zip(words[w], words[w - 1] if w else turned, strict=True)
            ]
        constant = constant << 1 ^ (0x11B if constant & 0x80 else 0)
        state = [substitute(byte) for byte in state]
        columns = [[state[(4 * (c + r) + r) % 16] for r in range(4)] for c in range(4)]
        if turn < _ROUNDS:
            columns = [_mixed(column) for column in columns]
        state = [byte ^ words[c][r] for c, column in enumerate(columns) for r, byte in enumerate(column)]
    return state[0].joined(*state[1:])
