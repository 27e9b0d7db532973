"""emp-ot as a rival: installed by hand, compiled against here.

emp-ot and emp-tool are C++ libraries without packages. Install both (version 1.0, `cmake -DCMAKE_INSTALL_PREFIX=...`, native
instructions are their default) and name the prefix in the environment variable EMP_PREFIX.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bench.rivals import ENVIRONMENTS, Rival, RivalMissingError

PROGRAM = Path(__file__).with_name("emp_ot.cpp")
NAME = "emp-ot 1.0"


def emp_ot() -> Rival:
    """The program that measures it.

    Raises
    ------
    RivalMissingError
        It is not installed, or does not compile.
    """
    prefix = os.environ.get("EMP_PREFIX")
    if not prefix:
        raise RivalMissingError(f"{NAME}: EMP_PREFIX does not say where it is installed")
    place = ENVIRONMENTS / "emp-ot"
    place.mkdir(parents=True, exist_ok=True)
    target = place / "emp_ot"
    command = ["c++", "-std=c++17", "-O3", "-march=native", "-DNDEBUG", "-Wno-ignored-attributes"]
    command += [f"-I{prefix}/include", str(PROGRAM), "-o", str(target), f"-L{prefix}/lib"]
    command += ["-lemp-ot", "-lemp-tool", "-lssl", "-lcrypto", "-pthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RivalMissingError(f"{NAME} does not compile: {done.stderr.strip()[-500:]}")
    return Rival(NAME, [str(target)])
