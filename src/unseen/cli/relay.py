"""`unseen relay`: a meeting point for parties that can only dial out."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from unseen.cli.session import COMMON, Common, emit_line


def relay(*, listen: Annotated[str, Parameter(name="--listen")], common: Common = COMMON) -> None:
    """Run a relay until it is told to stop (Ctrl-C, or the signal TERM). It joins sockets and sees only ciphertext.

    Anybody may run it, also a party. It needs no node, keeps nothing, and has to be trusted with nothing but its uptime.

    Parameters
    ----------
    listen
        host:port that both parties reach; they set it as link.relay. Port 0 takes any free one.
    """
    from unseen.core.errors import UsageError  # noqa: PLC0415 - after the arguments are known to be right
    from unseen.link.relay import Relay  # noqa: PLC0415
    from unseen.node import logs  # noqa: PLC0415
    from unseen.node.config import parse_address  # noqa: PLC0415
    from unseen.node.signals import take_stop_signals  # noqa: PLC0415

    try:
        address = parse_address(listen)
    except ValueError as error:
        raise UsageError("--listen is wrong.", why=str(error)) from error
    logs.configure("info")
    wait_for_stop = take_stop_signals()
    running = Relay(address)
    running.start()
    host, port = running.address
    if common.json:
        emit_line({"relay": f"{host}:{port}"})
    else:
        print(f"Ready: relay on {host}:{port}", flush=True)  # noqa: T201 - the answer
    wait_for_stop()
    running.stop()
