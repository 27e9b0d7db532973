"""Lies of a party under the malicious protocol that runs changed code, and what is computed while it tells them."""

from __future__ import annotations

from typing import Any

import numpy as np
from malicious_run import engine_of, off_by, wires_of

from unseen.party import Party

NUMBER = np.uint64(1 << 63)  # the error that a weak check overlooks


def result_of(party: Party, make: Any, *, liar: str, errors: dict[int, Any]) -> Any:
    """`make(engine, x, y)` revealed to a, where the liar's parts of products are off by `errors`."""
    engine = engine_of(party)
    x = engine.share(np.arange(4.0) if party.name == "a" else None, owner="a", shape=(4,))
    y = engine.share(np.arange(4.0) if party.name == "b" else None, owner="b", shape=(4,))
    if party.name == liar:
        off_by(engine, errors)
    return engine.reveal("result", make(engine, x, y), to=("a",))


def product(engine: Any, x: Any, y: Any) -> Any:
    return engine.number(engine.protocol.multiply(x.share, y.share), 40)


def conjunction(engine: Any, x: Any, y: Any) -> Any:
    bits = [np.ascontiguousarray(one.share & np.uint64(255))[:, None] for one in (x, y)]
    (made,) = engine.protocol.and_both(bits[0], (bits[1],))
    return engine.number(engine.protocol.to_ring((made[:, 0] & np.uint64(1)).astype(np.uint8)), 0)


def matrix(engine: Any, x: Any, y: Any) -> Any:
    left, right = (np.ascontiguousarray(one.share.reshape(2, 2, 2)) for one in (x, y))
    return engine.number(engine.protocol.matmul(left, right), 40)


def shuffled(engine: Any, x: Any, y: Any) -> Any:
    return engine.number(engine.protocol.shuffle(x.share[..., None])[0][..., 0], 20)


def plus(error: Any, at: int = 0) -> Any:
    def change(part: Any) -> Any:
        out = part.copy()
        out.reshape(-1)[[at]] += error
        return out

    return change


def toggle(mask: int, at: int = 0) -> Any:
    def change(part: Any) -> Any:
        out = part.copy()
        out.reshape(-1)[at] ^= out.dtype.type(mask)
        return out

    return change


LIES: dict[str, tuple[Any, dict[int, Any]]] = {
    "a product, by one": (product, {0: plus(np.uint64(1))}),
    "a product, by 2^63": (product, {0: plus(NUMBER)}),
    "a triple": (product, {2: plus(np.uint64(1), 7)}),
    "the zero-share of a reveal": (product, {1: plus(np.uint64(1))}),
    "an AND": (conjunction, {0: toggle(1)}),
    "a matrix product, by 2^63": (matrix, {0: plus(NUMBER)}),
    "a product that checks a matrix product": (matrix, {1: plus(np.uint64(5))}),
    "a matrix product and what checks it": (matrix, {0: plus(np.uint64(5)), 1: plus(np.uint64(5))}),
}


def hop_liar(party: Party, *, liar: str, hop: int, columns: bool = False, octets: bool = False) -> Any:
    """The liar changes the top of a row of its message of one hop, and where it can of the columns that check it."""
    engine = engine_of(party)
    x = engine.share(np.arange(4.0) if party.name == "a" else None, owner="a", shape=(4,))
    chosen = engine.share(np.ones(4) if party.name == "a" else None, owner="a", shape=(4,), dtype=bool)
    protocol, wires = engine.protocol, wires_of(engine)
    if party.name == liar:
        honest = protocol._move  # type: ignore[attr-defined]
        change = toggle(128) if octets else plus(NUMBER)

        def move(moved: Any, first: int, order: Any) -> Any:
            behind = len(moved) == 1  # the columns
            wrong = first == hop and order is not None and (columns or not behind)
            plain = wires.send
            if wrong:
                wires.send = lambda place, values: plain(  # type: ignore[method-assign]
                    place, change(values) if (values.dtype == np.uint8) == octets else values
                )
            out = honest(moved, first, order)
            wires.send = plain  # type: ignore[method-assign]
            return out

        protocol._move = move  # type: ignore[attr-defined]
    numbers, moved = protocol.shuffle(x.share[..., None], chosen.bit_share[..., None])
    told = protocol.to_ring(moved[..., 0] & np.uint8(1)) if octets else numbers[..., 0]
    return engine.reveal("result", engine.number(told, 0), to=("a",))
