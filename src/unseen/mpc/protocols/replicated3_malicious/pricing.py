"""What operations cost, checking included: counted as the protocol does it, and held against measurement by the tests."""

from __future__ import annotations

from unseen.mpc.planes import WORD
from unseen.mpc.protocol import Price
from unseen.mpc.protocols.replicated3_malicious import sharing, words
from unseen.mpc.protocols.replicated3_malicious.gates import SECURITY_BITS, batches, bucket
from unseen.mpc.protocols.replicated3_malicious.wires import COIN_WORDS, DIGEST_BYTES

_WORD_BYTES = 8
_PRODUCT = 3 * _WORD_BYTES  # each party sends a word; an opening costs the same


class Bill:
    """Adds up what is sent, all parties together, and how often it is waited for."""

    def __init__(self) -> None:
        self.rounds = 0
        self.size_bytes = 0
        self._products: dict[str, list[int]] = {"numbers": [], "bits": []}
        self._claims = False

    def send(self, size_bytes: int) -> None:
        """One round."""
        self.rounds += 1
        self.size_bytes += size_bytes

    def compare(self) -> None:
        """Digests from each to each."""
        self.send(6 * DIGEST_BYTES)

    def open(self, words: int) -> None:
        """An opening and its comparison."""
        self.send(_PRODUCT * words)
        self.compare()

    def coin(self) -> None:
        """The comparison before it, and its opening."""
        self.compare()
        self.open(COIN_WORDS)

    def products(self, algebra: str, count: int) -> None:
        """Products of words."""
        self.send(_PRODUCT * count)
        self._products[algebra].append(count)
        self._claims = True

    def hop(self, rows: int, width: int) -> None:
        """A pair's order, and the columns that check it."""
        self.send(2 * _WORD_BYTES * rows * width)
        step = max(1, sharing.MOVED // rows)
        for begin in range(0, SECURITY_BITS, step):
            columns = min(step, SECURITY_BITS - begin)
            self.send(2 * _WORD_BYTES * rows * columns)
            self.coin()
            self.open(rows * columns)
        self._claims = True

    def verify(self) -> Price:
        """The checks of all that stands on the bill."""
        for sizes in self._products.values():
            for count in batches(sizes):
                size = bucket(count)
                self.send(_PRODUCT * (count + 1) * size)
                self.coin()
                self.open(3 * size + 2 * count * size)
        if self._claims:
            self.compare()
        return Price(self.rounds, self.size_bytes)


def _carry(bill: Bill, places: int, plane: int) -> None:
    """The tree of :func:`unseen.mpc.planes.carry_out`."""
    while places > 1:
        pairs, odd = divmod(places, 2)
        last = pairs == 1 and not odd
        bill.products("bits", (1 if last else 2) * pairs * plane)
        places = 1 if last else pairs + odd


def _truncate(bill: Bill, elements: int, drop: int) -> None:
    for begin in range(0, elements, words.TRUNCATED):
        piece = min(words.TRUNCATED, elements - begin)
        plane = -(-piece // WORD)
        for places in (drop + 2, drop):
            bill.products("bits", places * plane)
        _carry(bill, drop - 1, plane)
        _to_ring(bill, 4 * piece)


def _to_ring(bill: Bill, elements: int) -> None:
    for _ in range(2):
        bill.products("numbers", elements)


def _less(bill: Bill, elements: int) -> None:
    plane = -(-elements // WORD)
    for _ in range(2):
        bill.products("bits", (WORD - 1) * plane)
    _carry(bill, WORD - 1, plane)


def price(operation: str, elements: int, parties: int, *, drop: int = 20) -> Price:  # noqa: ARG001 - always three
    """What `operation` on that many elements costs if it is then verified on its own.

    Together with others it costs less: larger batches have smaller buckets, and they share the rounds of checking.
    """
    bill = Bill()
    match operation:
        case "share":
            bill.send(_WORD_BYTES * elements)
        case "multiply":
            bill.products("numbers", elements)
        case "truncate":
            _truncate(bill, elements, drop)
        case "multiply and truncate":
            bill.products("numbers", elements)
            _truncate(bill, elements, drop)
        case "less":
            _less(bill, elements)
        case "bit to number":
            _to_ring(bill, elements)
        case "shuffle":
            for _ in range(3):
                bill.hop(elements, 1)
        case _:
            raise KeyError(operation)
    return bill.verify()
