"""curve25519 and ristretto255 in Python's integers: slow, plain, and what the native kernels are held against.

Sources: RFC 7748 (X25519), RFC 9380 (hashing to curve25519), RFC 9496 (ristretto255). Nothing here is constant time.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.uint8]
Affine: TypeAlias = tuple[int, int]
Extended: TypeAlias = tuple[int, int, int, int]

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
A = 486662
A24 = 121665
_LOW_255 = 2**255 - 1
_DIGEST = 64
_BLOCK = 128

D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
INVSQRT_A_MINUS_D = 54469307008909316920995813868745141605393597292927456921205312896311721017578
_BASE_Y = 4 * pow(5, -1, P) % P
_BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
GENERATOR: Extended = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % P)
IDENTITY: Extended = (0, 1, 1, 0)


# ---------------------------------------------------------------- rows and numbers


def _numbers(rows: Rows) -> list[int]:
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


def _rows(numbers: list[int]) -> Rows:
    data = b"".join(number.to_bytes(32, "little") for number in numbers)
    return np.frombuffer(data, np.uint8).reshape(len(numbers), 32).copy()


def _scalar_for_each(scalars: Rows, count: int) -> list[int]:
    numbers = [number & _LOW_255 for number in _numbers(scalars)]
    return numbers * count if len(numbers) == 1 else numbers


# ---------------------------------------------------------------- hashing


def sha512(messages: Rows, head: bytes) -> Rows:
    """SHA-512 of head | message for each row."""
    data = b"".join(hashlib.sha512(head + row.tobytes()).digest() for row in messages)
    return np.frombuffer(data, np.uint8).reshape(len(messages), _DIGEST).copy()


def expand_message(messages: Rows, domain: bytes, length: int) -> Rows:
    """expand_message_xmd with SHA-512 (RFC 9380 section 5.3.1) of each row."""
    data = b"".join(_expand(row.tobytes(), domain, length) for row in messages)
    return np.frombuffer(data, np.uint8).reshape(len(messages), length).copy()


def _expand(message: bytes, domain: bytes, length: int) -> bytes:
    tail = domain + bytes([len(domain)])
    first = hashlib.sha512(bytes(_BLOCK) + message + length.to_bytes(2, "big") + b"\0" + tail).digest()
    out, block = b"", bytes(_DIGEST)
    for index in range(1, -(-length // _DIGEST) + 1):
        mixed = bytes(a ^ b for a, b in zip(first, block, strict=True))
        block = hashlib.sha512(mixed + bytes([index]) + tail).digest()
        out += block
    return out[:length]


# ---------------------------------------------------------------- curve25519 by x


def x25519(scalars: Rows, points: Rows) -> Rows:
    """RFC 7748 section 5: scalars clamped, bit 255 of a point ignored."""
    factors = _scalar_for_each(scalars, len(points))
    return _rows([_ladder(_clamp(k), u & _LOW_255) for k, u in zip(factors, _numbers(points), strict=True)])


def _clamp(scalar: int) -> int:
    return scalar & ~7 & (2**255 - 1) | 2**254


def _ladder(scalar: int, x1: int) -> int:
    x2, z2, x3, z3 = 1, 0, x1, 1
    for t in reversed(range(255)):
        bit = scalar >> t & 1
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        x3, z3 = (d * a + c * b) ** 2 % P, x1 * (d * a - c * b) ** 2 % P
        aa, bb = a * a % P, b * b % P
        e = aa - bb
        x2, z2 = aa * bb % P, e * (aa + A24 * e) % P
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return x2 * pow(z2, P - 2, P) % P


def x_on_curve(points: Rows) -> NDArray[np.bool_]:
    """Whether each row is a number below p and x of a point of the curve."""
    return np.array([x < P and _is_square(x**3 + A * x * x + x) for x in _numbers(points)], np.bool_)


def _is_square(value: int) -> bool:
    return pow(value % P, (P - 1) // 2, P) in (0, 1)


def hash_to_x(messages: Rows, domain: bytes) -> Rows:
    """The x of hash_to_curve in suite curve25519_XMD:SHA-512_ELL2_RO_, for each row."""
    points = [hash_to_curve(row.tobytes(), domain) for row in messages]
    return _rows([point[0] if point else 0 for point in points])


def hash_to_curve(message: bytes, domain: bytes) -> Affine | None:
    """RFC 9380 section 3 in full; None is the point at infinity."""
    u = field_elements(message, domain)
    point = add_affine(map_to_curve(u[0]), map_to_curve(u[1]))
    for _ in range(3):  # the cofactor is 8
        point = add_affine(point, point)
    return point


def field_elements(message: bytes, domain: bytes) -> tuple[int, int]:
    """hash_to_field for two elements of 48 bytes each."""
    uniform = _expand(message, domain, 96)
    return int.from_bytes(uniform[:48], "big") % P, int.from_bytes(uniform[48:], "big") % P


def map_to_curve(u: int) -> Affine:
    """Elligator 2 for curve25519: RFC 9380 section 6.7.1 with Z = 2 (K = 1, J = A)."""
    x1 = -A * pow(1 + 2 * u * u, -1, P) % P
    g1 = (x1**3 + A * x1 * x1 + x1) % P
    if _is_square(g1):
        return x1, _root_with_sign(g1, 1)
    x2 = (-x1 - A) % P
    return x2, _root_with_sign((x2**3 + A * x2 * x2 + x2) % P, 0)


def _root_with_sign(square: int, sign: int) -> int:
    root = pow(square, (P + 3) // 8, P)
    if root * root % P != square:
        root = root * SQRT_M1 % P
    return root if root % 2 == sign else -root % P


def add_affine(p: Affine | None, q: Affine | None) -> Affine | None:
    """The group law of y^2 = x^3 + A x^2 + x."""
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % P == 0:
            return None
        slope = (3 * p[0] ** 2 + 2 * A * p[0] + 1) * pow(2 * p[1], -1, P)
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    x = (slope * slope - A - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


# ---------------------------------------------------------------- ristretto255


def ristretto_map(uniform: Rows) -> Rows:
    """The one-way map of 64 bytes (RFC 9496 section 4.3.4)."""
    out = []
    for row in uniform:
        low, high = (int.from_bytes(half.tobytes(), "little") & _LOW_255 for half in (row[:32], row[32:]))
        out.append(encode(add_points(_map_half(low), _map_half(high))))
    return _rows(out)


def ristretto_multiply(scalars: Rows, elements: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    """Scalar times element, and which rows encode elements (where not, the product is 0)."""
    factors = _scalar_for_each(scalars, len(elements))
    points = [decode(number) for number in _numbers(elements)]
    out = [encode(multiply(k, point)) if point else 0 for k, point in zip(factors, points, strict=True)]
    return _rows(out), np.array([point is not None for point in points], np.bool_)


def ristretto_multiply_base(scalars: Rows) -> Rows:
    """Scalar times the generator."""
    return _rows([encode(multiply(number & _LOW_255, GENERATOR)) for number in _numbers(scalars)])


def ristretto_add(left: Rows, right: Rows, *, minus: bool) -> tuple[Rows, NDArray[np.bool_]]:
    """Sum or difference, and where both are elements."""
    out, valid = [], []
    for one, other in zip(_numbers(left), _numbers(right), strict=True):
        p, q = decode(one), decode(other)
        valid.append(p is not None and q is not None)
        if p is None or q is None:
            out.append(0)
        else:
            out.append(encode(add_points(p, (-q[0], q[1], q[2], -q[3]) if minus else q)))
    return _rows(out), np.array(valid, np.bool_)


def ristretto_sum(scalars: Rows, elements: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    """The sum of scalars times elements, one row, and which rows encode elements (where not, the sum is 0)."""
    points = [decode(number) for number in _numbers(elements)]
    total = IDENTITY
    for number, point in zip(_numbers(scalars), points, strict=True):
        if point is not None:
            total = add_points(total, multiply(number & _LOW_255, point))
    valid = np.array([point is not None for point in points], np.bool_)
    return _rows([encode(total) if valid.all() else 0]), valid


def ristretto_valid(elements: Rows) -> NDArray[np.bool_]:
    """Which rows are canonical encodings of elements."""
    return np.array([decode(number) is not None for number in _numbers(elements)], np.bool_)


def _absolute(value: int) -> int:
    value %= P
    return P - value if value & 1 else value


def _sqrt_ratio(u: int, v: int) -> tuple[bool, int]:
    root = u * v**3 * pow(u * v**7 % P, (P - 5) // 8, P) % P
    check = v * root * root % P
    u %= P
    if check in (-u % P, -u * SQRT_M1 % P):
        root = root * SQRT_M1
    return check in (u, -u % P), _absolute(root)


def decode(s: int) -> Extended | None:
    """RFC 9496 section 4.3.1; None for what encodes nothing."""
    if s >= P or s & 1:
        return None
    u1, u2 = 1 - s * s, 1 + s * s
    v = (-D * u1 * u1 - u2 * u2) % P
    was_square, root = _sqrt_ratio(1, v * u2 * u2 % P)
    x = _absolute(2 * s * root * u2)
    y = u1 * root * root * u2 * v % P
    t = x * y % P
    return None if not was_square or t & 1 or y == 0 else (x, y, 1, t)


def encode(point: Extended) -> int:
    """RFC 9496 section 4.3.2."""
    x, y, z, t = point
    u1, u2 = (z + y) * (z - y), x * y
    _, root = _sqrt_ratio(1, u1 * u2 * u2 % P)
    den1, den2 = root * u1, root * u2
    z_inverse = den1 * den2 * t % P
    den = den2
    if t * z_inverse % P & 1:
        x, y, den = y * SQRT_M1, x * SQRT_M1, den1 * INVSQRT_A_MINUS_D
    if x * z_inverse % P & 1:
        y = -y
    return _absolute(den * (z - y))


def _map_half(t: int) -> Extended:
    r = SQRT_M1 * t * t % P
    u = (r + 1) * (1 - D * D) % P
    v = (-1 - r * D) * (r + D) % P
    was_square, s = _sqrt_ratio(u, v)
    c = -1 if was_square else r
    if not was_square:
        s = -_absolute(s * t)
    n = c * (r - 1) * (D - 1) ** 2 - v
    w0, w1, w2, w3 = 2 * s * v, n * SQRT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
    return w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P


def add_points(p: Extended, q: Extended) -> Extended:
    """The complete addition of -x^2 + y^2 = 1 + d x^2 y^2."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar: int, point: Extended) -> Extended:
    """Double and add."""
    total = IDENTITY
    for bit in f"{scalar:b}":
        total = add_points(total, total)
        if bit == "1":
            total = add_points(total, point)
    return total
