"""What a newcomer's machine goes through: the build's time, and what is there without a C++ compiler."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOOK = ROOT / ".venv" / "build-took.json"
MOST_BUILD_S, CORES = 60, 2
NOISE = 1.15  # the same build took 107 and 125 s of processor time on one machine, as two threads share a core or do not
COMPILERS = ("c++", "g++", "clang++", "cc", "gcc", "clang", "c++.exe")


@pytest.mark.skipif(not TOOK.exists(), reason="not set up by make")
def test_the_native_build_stays_within_a_minute_on_two_cores() -> None:
    """As measured by `make` when it built what these tests run on; processor time, so that a busy machine is no fault."""
    assert json.loads(TOOK.read_text())["cpu_s"] / CORES <= MOST_BUILD_S * NOISE


def without_compilers(folder: Path) -> str:
    """A PATH with everything that is on ours but compilers."""
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for tool in Path(place).iterdir() if Path(place).is_dir() else ():
            name = tool.name.lower()
            if not any(name == known or name.startswith(f"{known}-") for known in COMPILERS) and (
                "gcc" not in name and "clang" not in name and "g++" not in name
            ):
                link = folder / tool.name
                if not link.exists() and not link.is_symlink():
                    link.symlink_to(tool)
    return str(folder)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a Python where unseen was installed without a compiler."""
    folder = tmp_path_factory.mktemp("bare")
    source = folder / "source"
    source.mkdir()
    for name in ("src", "native", "pyproject.toml", "README.md", "LICENSE"):
        (source / name).symlink_to(ROOT / name)
    environment = {**os.environ, "PATH": without_compilers(folder / "bin")}
    for name in ("CC", "CXX", "CMAKE_GENERATOR"):
        environment.pop(name, None)
    wheel = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [*wheel, "-w", str(folder), str(source)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    assert built.name.endswith("none-any.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "installed")
    libraries = sysconfig.get_path("purelib")
    environment["PYTHONPATH"] = os.pathsep.join([str(folder / "installed"), libraries])
    return environment


def bare_python(bare: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python there; -S keeps our own installation out."""
    return subprocess.run(
        [sys.executable, "-S", *arguments], env=bare, capture_output=True, text=True, check=False, timeout=100
    )


def test_without_a_compiler_it_installs_and_computes_on_numpy(bare: dict[str, str]) -> None:
    program = """
from pathlib import Path
import unseen
from unseen.client import Local
from unseen.kernels import backend
from unseen.scenes.joint_model import Settings, workflow
from unseen.scenes.partition import breast_cancer
assert "installed" in Path(unseen.__file__).parts, unseen.__file__
assert backend() == "reference"
outcome = workflow(breast_cancer(), Settings()).run(Local())
print(outcome.at("hospital")["evaluate.metrics"].meta["auc"])
"""
    done = bare_python(bare, "-c", program)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 0.97


def test_without_a_compiler_a_node_starts_only_if_its_owner_says_so(
    bare: dict[str, str], tmp_path: Path
) -> None:
    home = tmp_path / "node"
    command = ("-m", "unseen.cli.main")
    assert bare_python(bare, *command, "node", "init", "clinic", "--home", str(home)).returncode == 0
    refused = bare_python(bare, *command, "node", "run", "--home", str(home), "--json")
    assert refused.returncode == 2
    told = json.loads(refused.stderr.splitlines()[-1])["error"]
    assert "g++" in told["mend"]
    assert "allow_slow_unhardened_reference_kernels = true" in told["mend"]
    config = home / "node.toml"
    config.write_text("allow_slow_unhardened_reference_kernels = true\n" + config.read_text())
    with subprocess.Popen(
        [sys.executable, "-S", *command, "node", "run", "--home", str(home), "--json", "--stop-with-stdin"],
        env=bare,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "api" in json.loads(process.stdout.readline())
        process.communicate(timeout=30)


def test_a_build_that_failed_though_there_is_a_compiler_is_said_loudly(bare: dict[str, str]) -> None:
    """The package installs all the same, and pip is quiet about it."""
    script = str(ROOT / ".ci" / "kernels.py")
    with_compiler = {**bare, "CXX": "/usr/bin/c++"}
    said = bare_python(with_compiler, script)
    assert said.returncode == 0
    assert "THE NATIVE KERNELS ARE NOT THERE" in said.stderr
    assert "pip install" in said.stderr
    assert bare_python(bare, script).stderr == ""  # without one, make has said so before
    here = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert here.stderr == ""
    shown = subprocess.run(
        ["make", "-n", "-B", "setup"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ".ci/kernels.py" in shown.stdout


@pytest.mark.parametrize("target", ["demo", "test"])
def test_make_says_what_to_install(target: str, tmp_path: Path) -> None:
    """The recipe of the build, with a PATH that has no compiler; nothing is built."""
    shown = subprocess.run(
        ["make", "-n", "-B", target], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.replace("\\\n", " ")
    (line,) = [line for line in shown.splitlines() if "command -v c++" in line]
    environment = {**os.environ, "PATH": without_compilers(tmp_path / "bin")}
    said = subprocess.run(
        ["sh", "-c", line], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert "apt install g++" in said
    assert "xcode-select --install" in said
    assert subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout == ""
