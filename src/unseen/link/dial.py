"""Reach another party's front: directly, or through an HTTP CONNECT proxy. And who dials whom."""

from __future__ import annotations

import socket
import time

from unseen.core.errors import UnavailableError, UsageError

_MOST_ANSWER_BYTES = 1 << 14
_OK = 200


def who_dials(one: str, other: str, *, one_listens: bool, other_listens: bool) -> str:
    """Which of two parties opens the connections between them: the same answer at both.

    A party that cannot be reached dials. If both can be reached, the first by name does; if neither can, both need a
    relay, and the first by name counts as the one that dials.

    Parameters
    ----------
    one_listens, other_listens
        Whether a party has an address under which others reach it.
    """
    if one_listens != other_listens:
        return other if one_listens else one
    return min(one, other)


def dial(
    address: tuple[str, int], *, proxy: tuple[str, int] | None = None, timeout_s: float = 10.0
) -> socket.socket:
    """A connected TCP socket to `address`, asked of the proxy if there is one (RFC 9110 section 9.3.6).

    Raises
    ------
    UnavailableError
        No connection came about; says with whom.
    """
    deadline = time.monotonic() + timeout_s
    first = proxy or address
    try:
        sock = socket.create_connection(first, timeout=timeout_s)
    except OSError as error:
        via = "the proxy " if proxy else ""
        raise UnavailableError(
            f"No connection to {via}{first[0]}:{first[1]}.",
            why=str(error.strerror or error),
            mend="see whether it runs, and whether a firewall lets us through",
        ) from error
    if proxy is None:
        return sock
    try:
        _ask(sock, address, deadline)
    except BaseException:
        sock.close()
        raise
    return sock


def _ask(sock: socket.socket, address: tuple[str, int], deadline: float) -> None:
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    target = f"{host}:{address[1]}"
    if not target.isascii() or any(char.isspace() for char in target):
        raise UsageError(f"'{target}' is no address.")
    answer = b""
    try:
        sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode("ascii"))
        while b"\r\n\r\n" not in answer and len(answer) < _MOST_ANSWER_BYTES:
            sock.settimeout(max(0.01, deadline - time.monotonic()))
            piece = sock.recv(1)  # one by one: what comes behind the answer belongs to the tunnel
            if not piece:
                break
            answer += piece
    except OSError as error:
        raise UnavailableError(
            "The proxy does not answer.",
            why=str(error.strerror or error),
            mend="check link.proxy in node.toml",
        ) from error
    words = answer.split(b"\r\n", 1)[0].split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or words[1] != str(_OK).encode():  # noqa: PLR2004
        said = answer.split(b"\r\n", 1)[0].decode("latin-1")[:100]
        raise UnavailableError(
            f"The proxy does not connect us with {target}.",
            why=f"it said: {said or 'nothing'}",
            mend="let the proxy's owner allow CONNECT to that address",
        )
    sock.settimeout(None)
