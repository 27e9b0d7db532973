"""Programs that run until a signal tells them to stop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable

_STOP = (signal.SIGTERM, signal.SIGINT)


def take_stop_signals() -> Callable[[], None]:
    """Take TERM and INT over from now on; what comes back waits until one has come.

    No signal is lost, whenever it comes. A lock that a handler shares with the main thread may be held by the main thread
    as the handler runs, and a handler in Python runs no sooner than the main thread's next instruction, which may be after
    a wait without end. So the handler does nothing, and what ends the wait is the byte that Python's own C handler writes
    (:func:`signal.set_wakeup_fd`). Call this in the main thread.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)  # open as long as the process lives
    for number in _STOP:
        signal.signal(number, lambda *_: None)

    def wait() -> None:
        while reader.recv(1)[0] not in _STOP:
            pass

    return wait
