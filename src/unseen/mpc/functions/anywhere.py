"""Functions that NumPy lacks, on secret arrays and on plain ones alike: so that one text serves both."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from unseen.core.errors import LocalProtocolError
from unseen.mpc.array import SecretArray
from unseen.mpc.circuits.circuit import Circuit
from unseen.mpc.functions import circuits, compare, exponential, magnitude, order
from unseen.mpc.functions.groups import Aggregation, Groups, check, grouped, plain_groups
from unseen.mpc.functions.groups import among as grouped_among
from unseen.mpc.functions.lookup import lookup as secret_lookup
from unseen.mpc.functions.lookup import one_hot as secret_one_hot
from unseen.mpc.functions.permute import permute as secret_permute
from unseen.mpc.functions.scan import How, segmented
from unseen.mpc.functions.sigmoid import sigmoid as secret_sigmoid


def sigmoid(x: Any, *, precise: bool = False) -> Any:
    """1 / (1 + exp(-x)); see :mod:`unseen.mpc.functions.sigmoid` for `precise`."""
    if isinstance(x, SecretArray):
        return secret_sigmoid(x, precise=precise)
    small = np.exp(-np.abs(np.multiply(x, 1.0)))
    return np.where(np.asarray(x) >= 0, 1 / (1 + small), small / (1 + small))


def rsqrt(x: Any) -> Any:
    """1 / sqrt(x)."""
    return magnitude.rsqrt(x) if isinstance(x, SecretArray) else 1 / np.sqrt(x)


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) / sum of exp(x) along an axis."""
    if isinstance(x, SecretArray):
        return exponential.softmax(x, axis)
    x = np.multiply(x, 1.0)
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def gelu(x: Any) -> Any:
    """X sigmoid(1.5957691 (x + 0.044715 x^3))."""
    if isinstance(x, SecretArray):
        return exponential.gelu(x)
    return x * sigmoid(1.5957691216 * (x + 0.044715 * np.asarray(x) ** 3))


def sort(x: Any, axis: int = -1, *, descending: bool = False, key_bits: int | None = None) -> Any:
    """np.sort, descending too; `key_bits` is a public bound that makes it cheaper (:class:`unseen.mpc.functions.order.Key`)."""
    if isinstance(x, SecretArray):
        return order.sort(x, axis, descending=descending, key_bits=key_bits)
    ascending = np.sort(x, axis)
    return np.flip(ascending, axis) if descending else ascending


def argsort(x: Any, axis: int = -1, *, descending: bool = False, key_bits: int | None = None) -> Any:
    """np.argsort, descending too; equal elements keep their order. See :func:`sort` for `key_bits`."""
    if isinstance(x, SecretArray):
        return order.argsort(x, axis, descending=descending, key_bits=key_bits)
    if not descending:
        return np.argsort(x, axis, kind="stable")
    return np.flip(np.shape(x)[axis] - 1 - np.argsort(np.flip(x, axis), axis, kind="stable"), axis)


def topk(x: Any, count: int, *, key_bits: int | None = None) -> tuple[Any, Any]:
    """The `count` largest of a vector, largest first, and where they are; the first of equals first."""
    if isinstance(x, SecretArray):
        return order.topk(x, count, key_bits=key_bits)
    places = argsort(x, descending=True)[:count]
    return np.asarray(x)[places], places


def order_by(
    keys: Any, rows: Any, *, descending: bool | Sequence[bool] = False, key_bits: int | None = None
) -> Any:
    """Rows (first axis) in the order of one key or of several, the first key first; equal ones keep their order."""
    several = isinstance(keys, list | tuple)
    vectors = list(keys) if several else [keys]
    secret = next((one for one in (rows, *vectors) if isinstance(one, SecretArray)), None)
    if secret is not None:
        lifted = [secret.engine.lift(one) for one in vectors]
        return order.order_by(lifted, secret.engine.lift(rows), descending=descending, key_bits=key_bits)
    turns = [descending] * len(vectors) if isinstance(descending, bool) else descending
    signed = [
        -np.unique(key, return_inverse=True)[1] if turn else key
        for key, turn in zip(vectors, turns, strict=True)
    ]
    return np.asarray(rows)[np.lexsort(signed[::-1])]


def permute(x: Any, order: Any, *, back: bool = False) -> Any:
    """x[order] for a secret order, which holds every place once; with `back`, the array of which x is that.

    An order is what np.argsort gives. Of a vector that is none, it would show which places come twice, and it is refused.
    """
    if isinstance(order, SecretArray):
        return secret_permute(order.engine.lift(x), order, back=back)
    places = np.argsort(order) if back else np.asarray(order)
    return x[places] if isinstance(x, SecretArray) else np.asarray(x)[places]


def group_by(
    keys: Any,
    aggregations: Mapping[str, Aggregation],
    *,
    groups: int | None = None,
    among: Any = None,
    key_bits: int | None = None,
) -> Groups:
    """Counts, sums, means and extrema of the groups of rows with equal keys.

    Parameters
    ----------
    keys
        A vector, or a list of vectors for groups by several keys.
    aggregations
        By name: "count", or ("sum" | "mean" | "min" | "max", a vector).
    groups
        A public bound of the number of groups, to which the result is cut; else it has as many rows as there are.
    among
        The groups, where they are public: one key only. Cheaper than sorting for some dozens.
    key_bits
        Public bound of keys that are numbers (:class:`unseen.mpc.functions.order.Key`).

    Returns
    -------
    The groups in the order of their keys, then rows of zeros; `valid` tells which are which.

    Raises
    ------
    LocalProtocolError
        An aggregation that is none, columns of different lengths, or a public group that is named twice.
    """
    vectors = list(keys) if isinstance(keys, list | tuple) else [keys]
    check(vectors, aggregations)
    if among is not None and len(np.unique(among)) < np.size(among):
        raise LocalProtocolError("A group is named twice in among=.", mend="name each once")
    columns = [how[1] for how in aggregations.values() if how != "count"]
    secret = next((one for one in (*vectors, *columns) if isinstance(one, SecretArray)), None)
    if secret is None:
        return plain_groups(vectors, aggregations, bound=groups, among=among)
    lifted = [secret.engine.lift(key) for key in vectors]
    if among is not None:
        return grouped_among(lifted[0], np.asarray(among), aggregations, key_bits=key_bits)
    return grouped(lifted, aggregations, bound=groups, key_bits=key_bits)


def scan(values: Any, starts: Any, how: How) -> Any:
    """What `how` ("sum", "min", "max", "first") makes of each segment up to every element; `starts` marks where they begin."""
    if isinstance(values, SecretArray) or isinstance(starts, SecretArray):
        engine = values.engine if isinstance(values, SecretArray) else starts.engine
        return segmented(engine.lift(values), engine.lift(starts), how)
    steps: dict[str, Callable[..., Any]] = {
        "sum": np.add,
        "min": np.minimum,
        "max": np.maximum,
        "first": lambda before, _: before,
    }
    out = np.array(values)
    out = out.astype(int) if out.dtype == np.bool_ else out
    for place in range(1, len(out)):
        if not starts[place]:
            out[place] = steps[how](out[place - 1], out[place])
    return out


def lookup(table: Any, index: Any) -> Any:
    """table[index] for a secret index (whole numbers), of a public or secret table.

    Nobody sees whether an index lies in the table: of one that does not, only the lowest bits count, and what they stand for is another
    entry or 0. np.clip it where that may happen.
    """
    if isinstance(index, SecretArray):
        return secret_lookup(table, index)
    return table[index] if isinstance(table, SecretArray) else np.asarray(table)[index]


def one_hot(index: Any, size: int) -> Any:
    """Booleans, one axis longer: which of `size` places the index is; of an index elsewhere as :func:`lookup` has it."""
    if isinstance(index, SecretArray):
        return secret_one_hot(index, size)
    return np.asarray(index)[..., None] == np.arange(size)


def batched(function: Callable[..., Any], *operands: Sequence[Any]) -> list[Any]:
    """[function(a, b, ...) for a, b, ... in zip(*operands)] of an elementwise function, in the rounds of one.

    mpc.batched(np.less, [a, b], [c, d]) is [a < c, b < d]. Operands of one call broadcast to one another.
    """
    calls = list(zip(*operands, strict=True))
    shapes = [np.broadcast_shapes(*(np.shape(one) for one in call)) for call in calls]
    joined = [
        np.concatenate([_spread(one, shape) for one, shape in zip(items, shapes, strict=True)])
        for items in operands
    ]
    made = function(*joined)
    ends = np.cumsum([0, *(math.prod(shape) for shape in shapes)])
    return [made[begin:end].reshape(shape) for begin, end, shape in zip(ends, ends[1:], shapes, strict=False)]


def _spread(x: Any, shape: tuple[int, ...]) -> Any:
    """In the common shape, as a vector."""
    if not isinstance(x, SecretArray):
        return np.broadcast_to(x, shape).reshape(-1)
    places = np.broadcast_to(np.arange(x.size).reshape(x.shape), shape).reshape(-1)
    return x.ravel()[places]


def equal(left: Any, right: Any) -> Any:
    """Left == right, elementwise; `==` itself is refused on secrets, for it is so easily written by mistake."""
    if isinstance(left, SecretArray) or isinstance(right, SecretArray):
        return compare.equal(left, right)
    return np.equal(left, right)


def apply(circuit: Circuit, *arrays: Any, bits: bool = False, garbled: bool = False) -> Any:
    """A Boolean circuit, element by element; see :mod:`unseen.mpc.circuits` for how to make one.

    Parameters
    ----------
    arrays
        One for each input, secret or plain; their shapes broadcast. One bit is a Boolean array. More bits are
        integers (up to 64 bits; the lowest bits count) or Booleans along one more axis, the last, lowest bit first.
    bits
        Leave outputs of more than one bit as Booleans along a last axis; else those of up to 64 bits are integers, from 0
        to 2^width - 1, or with 64 bits in two's complement.

    Returns
    -------
    The output, or a tuple of them.

    Raises
    ------
    UsageError
        Arrays that do not fit the circuit, or garbling under a protocol of other than two holders.
    """
    if any(isinstance(array, SecretArray) for array in arrays):
        return circuits.apply_circuit(circuit, arrays, bits=bits, garbled=garbled)
    shape = circuits.common_shape(circuit, arrays)
    plain = (
        circuits.plain_bits(array, width, shape) for width, array in zip(circuit.inputs, arrays, strict=True)
    )
    made = circuit.evaluate(*(np.moveaxis(item, 0, -1) for item in plain))
    found = tuple(circuits.plain_output(output, bits=bits) for output in made)
    return found if len(found) > 1 else found[0]
