"""What `unseen node run` is to the loopback, with a double as the node: for tests of starting and stopping only."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "api"))

from api_double import Double

from unseen.api.server import serve
from unseen.core.errors import UsageError
from unseen.node import config as node_config
from unseen.node import models as m


class Social(Double):
    """Knows its name, and writes down whom it accepts."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.file = config.home / "accepted"

    def status(self):
        return super().status().model_copy(update={"name": self.config.name, "home": str(self.config.home)})

    def peer_invite(self):
        return m.Invitation(text=f"I am {self.config.name}", fingerprint=f"print of {self.config.name}")

    def peer_list(self):
        names = self.file.read_text().split() if self.file.exists() else []
        return tuple(super(Social, self).peer_list()[0].model_copy(update={"name": name}) for name in names)

    def peer_accept(self, request):
        name = request.text.removeprefix("I am ")
        if request.fingerprint != f"print of {name}":
            raise UsageError("Another fingerprint.")
        with self.file.open("a") as out:
            out.write(f"{name}\n")
        return super().peer_list()[0]


def main() -> None:
    config = node_config.load(Path(sys.argv[sys.argv.index("--home") + 1]))
    if config.title == "broken":
        error = {"code": "usage", "what": "The port is in use.", "why": "somebody has it", "mend": "choose"}
        sys.exit(f"noise\n{json.dumps({'error': error})}")
    if config.title == "crash":
        sys.exit("plain words of a crash")
    if config.title == "mute":
        threading.Event().wait(60)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: None if config.title == "deaf" else stop.set())

    def wait_for_end_of_input() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGKILL if config.title == "deaf" else signal.SIGTERM)

    threading.Thread(target=wait_for_end_of_input, daemon=True).start()
    with serve(Social(config), config) as address:
        sys.stdout.write(json.dumps({"api": address}) + "\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
