"""A signal to stop is heard whenever it comes."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import os, random, signal, threading, time
from unseen.node.signals import take_stop_signals

wait = take_stop_signals()
for round in range(1000):
    number = signal.SIGTERM if round % 2 else signal.SIGINT
    thread = threading.Thread(target=lambda: (time.sleep(random.random() * 2e-4), os.kill(os.getpid(), number)))
    thread.start()
    wait()
    thread.join()
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(0.01)
wait()
print("heard")
"""


def test_no_signal_is_lost_between_two_instructions_or_before_the_wait():
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "heard\n"
