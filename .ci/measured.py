"""Run a command and write down what it took: `measured.py FILE COMMAND ...`. Processor time tells more than a clock."""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

started = time.monotonic()
code = subprocess.call(sys.argv[2:])  # noqa: S603 - what our Makefile says
used = resource.getrusage(resource.RUSAGE_CHILDREN)
took = {"wall_s": time.monotonic() - started, "cpu_s": used.ru_utime + used.ru_stime}
if code == 0:
    Path(sys.argv[1]).write_text(json.dumps(took) + "\n")
sys.exit(code)
