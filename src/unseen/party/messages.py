"""Typed messages between running protocols.

A message is a frozen struct whose every field says what an onlooker at the receiving end holds:

=============  ======================================================================================
kind           meaning
=============  ======================================================================================
share          one share of a secret: uniform on its own
masked         a value under a fresh uniform mask
ciphertext     encrypted or blinded under a key that the receiver lacks
public         known to all from the contract and the sizes: lengths, indices, versions
released       in clear: only the gate makes one (:class:`unseen.party.gate.Released`)
=============  ======================================================================================

Wire form: little-endian u32 length of the head, the head (msgpack array: tag, fields in order, arrays as
[dtype, shape]), then the raw bytes of each array in order of appearance. Decoding refuses unknown tags, other
fields, dtypes outside the list, lengths that do not add up, and left-over bytes, before anything is allocated.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError, RemoteProtocolError

T = TypeVar("T")
R = TypeVar("R")

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True)
class FieldKind:
    """What the receiver of a field holds; see the module's table."""

    name: str


SHARE = FieldKind("share")
MASKED = FieldKind("masked")
CIPHERTEXT = FieldKind("ciphertext")
PUBLIC = FieldKind("public")
RELEASED = FieldKind("released")

Share: TypeAlias = Annotated[Array, SHARE]
Masked: TypeAlias = Annotated[Array, MASKED]
MaskedBytes: TypeAlias = Annotated[bytes, MASKED]
Ciphertext: TypeAlias = Annotated[Array, CIPHERTEXT]
CiphertextBytes: TypeAlias = Annotated[bytes, CIPHERTEXT]
Public: TypeAlias = Annotated[T, PUBLIC]


class Released(Generic[T]):
    """A value in clear that the gate let out. Only :mod:`unseen.party.gate` and the decoder make one."""

    __slots__ = ("_value",)
    _maker: ClassVar[object] = object()

    def __init__(self, value: T, maker: object) -> None:
        if maker is not Released._maker:
            raise LocalProtocolError("Only the gate releases values.", mend="call party.release(...)")
        self._value = value

    @property
    def value(self) -> T:
        """The value."""
        return self._value

    def part(self, take: Callable[[T], R]) -> Released[R]:
        """What `take` makes of the value: let out with it."""
        return Released(take(self._value), Released._maker)


_DTYPES = {
    "u1": np.uint8,
    "u2": np.uint16,
    "u4": np.uint32,
    "u8": np.uint64,
    "i8": np.int64,
    "f8": np.float64,
    "b1": np.bool_,
}
_CODES = {np.dtype(dtype): code for code, dtype in _DTYPES.items()}
_LENGTH = struct.Struct("<I")
_MAX_DIMS = 8


class Message(msgspec.Struct, frozen=True):
    """Base of all messages.

    Declare `class Opening(Message, frozen=True, tag="mpc.opening/1"): values: Masked`. The tag is
    name/version; a change of fields is a new version. Every field's annotation must carry a kind.
    """


def tag_of(message_type: type[Message]) -> str:
    """The name/version that stands at the head of every message of this type."""
    tag = message_type.__struct_config__.tag
    if not isinstance(tag, str):
        raise TypeError(f"{message_type.__name__} has no tag")
    return tag


def kinds(message_type: type[Message]) -> dict[str, str]:
    """Field name -> kind name, in order of declaration.

    Raises
    ------
    TypeError
        A field without a kind.
    """
    return {name: kind for name, (kind, _type) in _fields(message_type).items()}


_FIELDS: dict[type[Message], dict[str, tuple[str, Any]]] = {}


def _fields(message_type: type[Message]) -> dict[str, tuple[str, Any]]:
    known = _FIELDS.get(message_type)
    if known is None:
        hints = get_type_hints(message_type, include_extras=True)
        known = {name: _kind_of(message_type, name, hints[name]) for name in message_type.__struct_fields__}
        _FIELDS[message_type] = known
    return known


def _kind_of(message_type: type[Message], name: str, hint: Any) -> tuple[str, Any]:
    if get_origin(hint) is Annotated:
        plain, *extras = get_args(hint)
        for extra in extras:
            if isinstance(extra, FieldKind):
                return extra.name, plain
    if get_origin(hint) is Released:
        return RELEASED.name, get_args(hint)[0]
    raise TypeError(
        f"{message_type.__name__}.{name} does not say its kind (share, masked, ciphertext, public, released)"
    )


def encode(message: Message) -> list[bytes | memoryview]:
    """Wire form of `message` as buffers to be sent one after another.

    Raises
    ------
    LocalProtocolError
        An array of a dtype that does not travel, or a released field that did not pass the gate.
    """
    head: list[Any] = [tag_of(type(message))]
    buffers: list[bytes | memoryview] = []
    for name, (kind, _plain) in _fields(type(message)).items():
        value = getattr(message, name)
        if (kind == RELEASED.name) != isinstance(value, Released):
            raise LocalProtocolError(
                f"{type(message).__name__}.{name} is of kind {kind} but carries a {type(value).__name__}.",
                mend="values in clear leave through party.release(...)",
            )
        plain = value.value if isinstance(value, Released) else value
        head.append(_encode_array(plain, buffers) if isinstance(plain, np.ndarray) else plain)
    encoded = msgspec.msgpack.encode(head)
    return [_LENGTH.pack(len(encoded)), encoded, *buffers]


def _encode_array(array: Array, buffers: list[bytes | memoryview]) -> list[Any]:
    code = _CODES.get(array.dtype)
    if code is None or array.ndim > _MAX_DIMS:
        raise LocalProtocolError(f"An array of {array.dtype} with {array.ndim} dimensions cannot be sent.")
    if array.size:
        buffers.append(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return [code, list(array.shape)]


M = TypeVar("M", bound=Message)


def decode(payload: memoryview, message_type: type[M], *, sender: str) -> M:
    """Rebuild a message of `message_type`; arrays are views into `payload`.

    Raises
    ------
    RemoteProtocolError
        Anything that is not exactly one such message; the text names `sender`.
    """
    try:
        return _decode(payload, message_type)
    except (ValueError, TypeError, KeyError, RecursionError, struct.error, msgspec.DecodeError) as error:
        raise RemoteProtocolError(
            f"{sender} sent something that is not a {tag_of(message_type)}.",
            why=str(error),
            mend=f"both parties need the same version of unseen; compare with {sender}",
            party=sender,
        ) from error


def _decode(payload: memoryview, message_type: type[M]) -> M:
    (head_size,) = _LENGTH.unpack_from(payload)
    body = _LENGTH.size + head_size
    if body > len(payload):
        raise ValueError("the head is longer than the message")
    head = msgspec.msgpack.decode(payload[_LENGTH.size : body])
    fields = _fields(message_type)
    if not isinstance(head, list) or len(head) != len(fields) + 1 or head[0] != tag_of(message_type):
        found = head[0] if isinstance(head, list) and head else head
        raise ValueError(f"expected {tag_of(message_type)}, found {str(found)[:60]!r}")
    values: dict[str, Any] = {}
    offset = body
    for (name, (kind, plain)), item in zip(fields.items(), head[1:], strict=True):
        if np.ndarray in (plain, get_origin(plain)):
            value, offset = _decode_array(item, payload, offset)
        else:
            value = msgspec.convert(item, plain, strict=True)
        values[name] = Released(value, Released._maker) if kind == RELEASED.name else value  # noqa: SLF001 - decoder
    if offset != len(payload):
        raise ValueError(f"{len(payload) - offset} bytes are left over")
    return message_type(**values)


def _decode_array(item: Any, payload: memoryview, offset: int) -> tuple[Array, int]:
    code, shape = item
    if len(shape) > _MAX_DIMS or not all(isinstance(dim, int) and 0 <= dim < 1 << 40 for dim in shape):
        raise ValueError(f"impossible shape {shape}")
    dtype = np.dtype(_DTYPES[code])
    size = math.prod(shape) * dtype.itemsize
    end = offset + size
    if end > len(payload):
        raise ValueError(f"an array of shape {shape} needs {size} bytes, {len(payload) - offset} are left")
    if code == "b1" and size and np.frombuffer(payload[offset:end], np.uint8).max() > 1:
        raise ValueError("a Boolean is neither 0 nor 1")
    return np.frombuffer(payload[offset:end], dtype=dtype).reshape(shape), end


def packed(array: Array) -> tuple[str, tuple[int, ...], bytes]:
    """Type, shape and bytes of an array, to be stored.

    Raises
    ------
    LocalProtocolError
        An array of a dtype that is not stored.
    """
    code = _CODES.get(array.dtype)
    if code is None:
        raise LocalProtocolError(f"An array of {array.dtype} cannot be stored.")
    return code, array.shape, array.tobytes()


def unpacked(code: str, shape: tuple[int, ...], data: bytes) -> Array:
    """The array again, writable."""
    return np.frombuffer(data, _DTYPES[code]).reshape(shape).copy()


def require(array: Array, *, shape: tuple[int, ...], dtype: type[np.generic], sender: str) -> None:
    """Check what a peer sent against what is due.

    Raises
    ------
    RemoteProtocolError
        Another shape or dtype.
    """
    if array.shape != shape or array.dtype != dtype:
        raise RemoteProtocolError(
            f"{sender} sent {array.dtype} {array.shape} where {np.dtype(dtype)} {shape} is due.",
            mend=f"both parties need the same contract and version; compare with {sender}",
            party=sender,
        )
