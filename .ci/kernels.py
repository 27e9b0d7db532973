"""Say so if the native kernels are not there though there is a compiler: the package installs without them, and quietly."""

import importlib
import os
import shutil
import sys

WIDTH = 100


def objection() -> str:
    """Why there are none; empty if they are there, or nothing was there to build them with."""
    try:
        importlib.import_module("unseen.kernels._native")
    except ImportError as error:
        compiler = os.environ.get("CXX") or next(filter(shutil.which, ("c++", "g++", "clang++")), "")
        return f"{error} (compiler: {compiler})" if compiler else ""
    return ""


def main() -> None:
    """To standard error; set-up goes on."""
    if reason := objection():
        lines = (
            "THE NATIVE KERNELS ARE NOT THERE, though there is a C++ compiler: their build failed.",
            "Everything runs on NumPy instead: 10 to 1000 times slower, without a promise about timing.",
            f"Seen: {reason}",
            "To see why: .venv/bin/pip install --no-build-isolation --no-deps -v -e .",
        )
        print("\n".join(["", "*" * WIDTH, *lines, "*" * WIDTH, ""]), file=sys.stderr)


if __name__ == "__main__":
    main()
