"""Print what the package needs, one requirement per line: base, and the extras named as arguments."""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
wanted = [
    *project["build-system"]["requires"],
    "cmake>=3.26",
    "ninja>=1.11",
    *project["project"]["dependencies"],
]
for extra in sys.argv[1:]:
    wanted += project["project"]["optional-dependencies"][extra]
print("\n".join(wanted))
