"""A second verifier of commitments and proofs: Python's integers only, written from the documents and not from the code.

Nothing of ours is imported. The curve is affine-free textbook arithmetic (RFC 8032's addition, RFC 9496's encodings), hashing to
the group is RFC 9380's and 9496's, folding is done round by round as the papers write it. Slow: milliseconds a product.
"""

from __future__ import annotations

import hashlib

P = 2**255 - 19
ELL = 2**252 + 27742317777372353535851937790883648493
D = (-121665 * pow(121666, P - 2, P)) % P
I = pow(2, (P - 1) // 4, P)  # noqa: E741 - the root of -1
ZERO = (0, 1, 1, 0)


class RefusedError(Exception):
    """What the proof says does not hold."""


# ---------------------------------------------------------------- the curve -x^2 + y^2 = 1 + d x^2 y^2


def plus(p, q):
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(k, p):
    total, k = ZERO, k % ELL
    while k:
        if k & 1:
            total = plus(total, p)
        p, k = plus(p, p), k >> 1
    return total


def summed(*products):
    total = ZERO
    for k, p in products:
        total = plus(total, times(k, p))
    return total


def same(p, q):
    """Equal as elements of ristretto255 (RFC 9496 section 4.3.3)."""
    return (p[0] * q[1] - p[1] * q[0]) % P == 0 or (p[1] * q[1] - p[0] * q[0]) % P == 0


def even(x):
    x %= P
    return P - x if x % 2 else x


def root_of(u, v):
    """(whether u / v is a square, the even root of it or of i u / v)."""
    quotient = u * pow(v, P - 2, P) % P
    for factor, square in ((1, True), (I, False)):
        value = quotient * factor % P
        root = pow(value, (P + 3) // 8, P)
        for candidate in (root, root * I % P):
            if candidate * candidate % P == value:
                return square, even(candidate)
    raise AssertionError


def element(data):
    s = int.from_bytes(data, "little")
    if len(data) != 32 or s >= P or s % 2:
        raise RefusedError("encoding")
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    square, root = root_of(1, v * u2 * u2 % P)
    x = even(2 * s * root * u2)
    y = u1 * root * root * u2 * v % P
    if not square or x * y % P % 2 or y == 0:
        raise RefusedError("encoding")
    return x, y, 1, x * y % P


def encoded(p):
    """RFC 9496 section 4.3.2."""
    x, y, z, t = p
    u1, u2 = (z + y) * (z - y) % P, x * y % P
    _, inverse = root_of(1, u1 * u2 * u2 % P) if u1 * u2 % P else (True, 0)
    one, two = inverse * u1 % P, inverse * u2 % P
    z_inverse = one * two * t % P
    _, a_minus_d = root_of(1, (-1 - D) % P)
    if t * z_inverse % P % 2:
        x, y, two = y * I % P, x * I % P, one * a_minus_d % P
    if x * z_inverse % P % 2:
        y = -y % P
    return even(two * (z - y)).to_bytes(32, "little")


def mapped(data):
    t = int.from_bytes(data, "little") % 2**255
    r = I * t * t % P
    u, v = (r + 1) * (1 - D * D) % P, (-1 - r * D) * (r + D) % P
    square, s = root_of(u, v)
    s, c = (s, -1) if square else (-even(s * t), r)
    n = (c * (r - 1) * (D - 1) ** 2 - v) % P
    _, minus = root_of((-D - 1) % P, 1)
    root_ad = minus if minus % 2 else P - minus  # RFC 9496 gives the odd one
    w0, w1, w2, w3 = 2 * s * v, n * root_ad, 1 - s * s, 1 + s * s
    return w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P


def hashed(message, domain):
    tail = domain + bytes([len(domain)])
    first = hashlib.sha512(bytes(128) + message + (64).to_bytes(2, "big") + b"\0" + tail).digest()
    uniform = hashlib.sha512(first + b"\1" + tail).digest()
    return plus(mapped(uniform[:32]), mapped(uniform[32:]))


PEDERSEN = b"unseen/pedersen/v1 with ristretto255_XMD:SHA-512_R255MAP_RO_"
VALUE = element(
    bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")
)  # RFC 9496 A.1
BLINDING, PRODUCT = hashed(b"blinding", PEDERSEN), hashed(b"product", PEDERSEN)


def bases(family, count):
    return [hashed(f"{family}:{i}".encode(), PEDERSEN) for i in range(1, count + 1)]


# ---------------------------------------------------------------- challenges


class Chain:
    """The transcript: docs/protocols/proofs.md."""

    TAG = b"unseen/transcript/v1"

    def __init__(self, session):
        self.state = hashlib.sha512(self.TAG).digest()
        self.take(0, "session", session)

    def take(self, kind, name, data):
        head = (
            bytes([kind]) + len(name).to_bytes(8, "little") + name.encode() + len(data).to_bytes(8, "little")
        )
        self.state = hashlib.sha512(self.TAG + self.state + head + data).digest()

    def begin(self, protocol, *statement):
        self.take(1, protocol, len(statement).to_bytes(8, "little"))
        for name, data in statement:
            self.take(0, name, data)

    def absorb(self, name, *parts):
        self.take(0, name, len(parts).to_bytes(8, "little"))
        for part in parts:
            self.take(0, name, part)

    def draw(self, name, count):
        self.take(2, name, count.to_bytes(8, "little"))
        return hashlib.shake_256(self.TAG + self.state).digest(count)

    def challenge(self, name):
        return int.from_bytes(self.draw(name, 64), "little") % ELL or 1


class Pieces:
    def __init__(self, proof):
        self.proof = proof

    def take(self, count=32):
        if len(self.proof) < count:
            raise RefusedError("too short")
        piece, self.proof = self.proof[:count], self.proof[count:]
        return piece

    def number(self):
        return number(self.take())

    def end(self):
        if self.proof:
            raise RefusedError("too long")


def number(data):
    value = int.from_bytes(data, "little")
    if value >= ELL:
        raise RefusedError("not below the order")
    return value


def scalar(value):
    return (value % ELL).to_bytes(32, "little")


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) % ELL


def log2(count):
    power = 0
    while 2**power < count:
        power += 1
    return power


# ---------------------------------------------------------------- sigma protocols


def sigma(name, secrets, equations, pieces, chain):
    """`equations`: [(image, [(index of the secret, base), …]), …], all as bytes."""
    c = pieces.number()
    answers = [pieces.number() for _ in range(secrets)]
    text = secrets.to_bytes(4, "little") + len(equations).to_bytes(4, "little")
    said = []
    for image, terms in equations:
        text += len(terms).to_bytes(4, "little") + image
        text += b"".join(index.to_bytes(4, "little") + base for index, base in terms)
        t = summed(*((answers[index], element(base)) for index, base in terms), (-c, element(image)))
        said.append(encoded(t))
    chain.begin(f"unseen/sigma/v1/{name}", ("relation", text))
    chain.absorb("commitments", *said)
    if chain.challenge("challenge") != c:
        raise RefusedError(name)


# ---------------------------------------------------------------- folding


def folded(point, g, h, b, unit, pieces, chain):
    """`point` = <a, g> + <b, h> + <a, b> unit; b is None where it is secret, h where b is not."""
    while len(g) > 1:
        half = len(g) // 2
        low, high = pieces.take(), pieces.take()
        chain.absorb("fold", low, high)
        x = chain.challenge("fold")
        point = summed((x * x, element(low)), (x, point), (1, element(high)))
        g = [plus(one, times(x, two)) for one, two in zip(g[:half], g[half:], strict=True)]
        if h is not None:
            h = [plus(times(x, one), two) for one, two in zip(h[:half], h[half:], strict=True)]
        else:
            b = [(one + x * two) % ELL for one, two in zip(b[:half], b[half:], strict=True)]
    a = pieces.number()
    last = b[0] if h is None else pieces.number()
    expected = plus(times(a, g[0]), times(a * last, unit))
    if h is not None:
        expected = plus(expected, times(last, h[0]))
    if not same(point, expected):
        raise RefusedError("inner product")


def unit_of(said, chain):
    chain.absorb("opened", said)
    return times(chain.challenge("unit"), PRODUCT)


# ---------------------------------------------------------------- the arguments


def quadratic(committed, u, c, p, constant, values, pieces, chain):
    """`committed` is A, a point; `values` are (weight, point)."""
    count = len(u)
    said = [pieces.take() for _ in range(3)]
    s, t1, t2 = map(element, said)
    chain.absorb("quadratic", *said)
    x = chain.challenge("point")
    numbers = pieces.take(96)
    product, value_blind, blind = (number(numbers[at : at + 32]) for at in (0, 32, 64))
    unit = unit_of(numbers, chain)
    left = summed((product, VALUE), (value_blind, BLINDING))
    right = summed(*values, (constant + dot(c, p), VALUE), (x, t1), (x * x, t2))
    if not same(left, right):
        raise RefusedError("polynomial")
    g, h = bases("left", count), bases("right", count)
    h = [times(pow(w, -1, ELL), base) for w, base in zip(u, h, strict=True)]
    point = summed((1, committed), (x, s), (-blind, BLINDING), (product, unit), *zip(c, g, strict=True))
    point = plus(point, summed(*zip(p, h, strict=True)))
    folded(point, g, h, None, unit, pieces, chain)


def range_proof(commitments, bits, pieces, chain):
    """RFC-like text of docs/protocols/proofs.md; `commitments` as bytes."""
    count = 2 ** log2(len(commitments) * bits)
    chain.begin(
        "unseen/range/v1",
        ("bases", encoded(VALUE) + encoded(BLINDING) + encoded(PRODUCT)),
        ("bits", bits.to_bytes(4, "little")),
        ("commitments", b"".join(commitments)),
    )
    a = pieces.take()
    chain.absorb("bits", a)
    y, z = chain.challenge("y"), chain.challenge("z")
    u = [pow(y, i, ELL) for i in range(count)]
    p = [z * power % ELL for power in u]
    for j in range(len(commitments)):
        for k in range(bits):
            p[j * bits + k] += pow(z, 2 + j, ELL) * 2**k
    values = [(pow(z, 2 + j, ELL), element(commitment)) for j, commitment in enumerate(commitments)]
    quadratic(element(a), u, [-z % ELL] * count, p, z * sum(u), values, pieces, chain)


def short(commitment, masks, rows, z, pieces, chain):
    count = len(rows[0])
    packed = int("".join(str(bit) for row in rows for bit in row), 2) << (-len(rows) * count % 8)
    chain.begin(
        "unseen/short/v1",
        ("commitments", commitment + masks),
        ("count", count.to_bytes(8, "little")),
        ("rows", packed.to_bytes(-(-len(rows) * count // 8), "big")),
        ("sums", b"".join(value.to_bytes(14, "little") for value in z)),
    )
    e, w = chain.challenge("e"), chain.challenge("w")
    weights = [pow(w, k, ELL) for k in range(len(rows))]
    form = [dot(weights, [row[i] for row in rows]) for i in range(count)] + [
        e * weight % ELL for weight in weights
    ]
    linear([(e, commitment), (1, masks)], form, e * dot(weights, z) % ELL, pieces, chain)


def linear(committed, form, value, pieces, chain):
    """<form, v> = value, for the v that the factors times the elements of `committed` add up to a commitment to."""
    chain.begin(
        "unseen/linear/v1",
        ("bases", encoded(BLINDING) + encoded(PRODUCT)),
        ("factors", b"".join(scalar(factor) for factor, _ in committed)),
        ("committed", b"".join(one for _, one in committed)),
        ("form", b"".join(map(scalar, form))),
        ("value", scalar(value)),
    )
    head = pieces.take(64)
    chain.absorb("masks", head)
    c = chain.challenge("challenge")
    said = pieces.take()
    unit = unit_of(said, chain)
    both = summed(*((factor, element(one)) for factor, one in committed))
    point = summed(
        (1, element(head[:32])), (c, both), (-number(said), BLINDING), (number(head[32:]) + c * value, unit)
    )
    length = 2 ** log2(len(form))
    folded(point, bases("left", length), None, form + [0] * (length - len(form)), unit, pieces, chain)


def norm(commitment, entries, bound, proof, session):
    chain, pieces = Chain(session), Pieces(proof)
    chain.begin(
        "unseen/norm/v1",
        ("commitment", commitment),
        ("entries", entries.to_bytes(8, "little")),
        ("bound", bound.to_bytes(16, "little")),
    )
    masks, right, rest = (pieces.take() for _ in range(3))
    chain.absorb("commitments", masks + right + rest)
    data = chain.draw("rows", -(-128 * entries // 8))
    bits = [byte >> (7 - place) & 1 for byte in data for place in range(8)]
    rows = [bits[k * entries : (k + 1) * entries] for k in range(128)]
    z = [int.from_bytes(pieces.take(14), "little") for _ in range(128)]
    short(commitment, masks, rows, z, pieces, chain)
    e, y = chain.challenge("e"), chain.challenge("y")
    count = 2 ** log2(entries)
    p = [pow(y, i + 1, ELL) for i in range(count)]
    c = [-e * p[i] % ELL if i < entries else 0 for i in range(count)]
    both = summed((e, element(commitment)), (1, element(right)))
    quadratic(both, [1] * count, c, p, e * bound, [(-e, element(rest))], pieces, chain)
    range_proof([rest], bound.bit_length(), pieces, chain)
    pieces.end()


def bounds(commitment, entries, low, bits, proof, session):
    """Of few enough numbers for one range proof."""
    chain, pieces = Chain(session), Pieces(proof)
    chain.begin(
        "unseen/bounds/v1",
        ("commitment", commitment),
        ("entries", entries.to_bytes(8, "little")),
        ("low", low.to_bytes(16, "little", signed=True)),
        ("bits", bits.to_bytes(4, "little")),
    )
    *each, single, vector = (pieces.take() for _ in range(entries + 2))
    chain.absorb("commitments", b"".join([*each, single, vector]))
    value, blinding, behind = map(encoded, (VALUE, BLINDING, bases("left", entries + 1)[-1]))
    equations = [(single, [(0, value), (1, blinding)]), (vector, [(0, behind), (2, blinding)])]
    sigma("mask-of-bounds", 3, equations, pieces, chain)
    t = chain.challenge("t")
    powers = [pow(t, i + 1, ELL) for i in range(entries)]
    said = pieces.take(64)
    z, blind = number(said[:32]), number(said[32:])
    chain.absorb("sum", said)
    moved = [plus(element(one), times(low, VALUE)) for one in each]
    if not same(
        summed((1, element(single)), *zip(powers, moved, strict=True)), summed((z, VALUE), (blind, BLINDING))
    ):
        raise RefusedError("sum of single numbers")
    linear([(1, commitment), (1, vector)], [*powers, 1], z, pieces, chain)
    range_proof(each, bits, pieces, chain)
    pieces.end()
