"""The two ways to get livetally: a clone of the repository, and the wheel."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from commandline import ROOT, Livetally

INSTALL_WITHIN_S = 900


def sh(*command: str | Path, cwd: Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=INSTALL_WITHIN_S,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The committed state of this repository, in a directory whose name has a space."""
    sh("git", "clone", "--quiet", "--no-hardlinks", ROOT, tmp_path / "a clone", cwd=tmp_path)
    return tmp_path / "a clone"


def test_a_fresh_clone_holds_an_election(clone: Path, other_livetally: Livetally) -> None:
    here = Livetally(other_livetally.data_dir, command=[str(clone / "livetally")])
    help_text = here("run", "--help").stdout
    assert "--exit-when-done" in help_text
    assert here("--version").stdout.startswith("livetally ")
    assert not (clone / ".venv").exists(), "--help fetches nothing"

    first = here("run", "--voters", "1000", "--rate", "max", "--exit-when-done", "--no-dashboard")
    assert "downloads" in first.stderr
    assert "needs" in first.stderr
    assert "Ballots, ledger, votes topic and tallies agree." in first.stderr
    assert sh("git", "status", "--porcelain", cwd=clone) == "", "running leaves the checkout clean"

    second = here("run", "--voters", "300", "--rate", "max", "--exit-when-done", "--no-dashboard", "--fresh")
    assert "downloads" not in second.stderr
    assert "--fresh deletes" in second.stderr
    assert here.json("results")["registered"] == 300


def test_the_wheel_gives_the_same_command(tmp_path: Path, other_livetally: Livetally) -> None:
    """Beside the packages that run these tests; that the locks alone are enough, the fresh clone shows."""
    source, dist = tmp_path / "source", tmp_path / "dist"
    sh("git", "clone", "--quiet", ROOT, source, cwd=tmp_path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LIVETALLY_", "PYTHONPATH"))}

    def pip(*words: str | Path) -> None:
        sh(python, "-m", "pip", *words, cwd=tmp_path, environment=environment)

    sh(sys.executable, "-m", "venv", "--without-pip", tmp_path / "empty", cwd=tmp_path)
    python = tmp_path / "empty" / "bin" / "python"
    own = Path(sh(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    # A directory that is named like this is searched, and its own .pth file, which names our sources, is not read.
    (own / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip("wheel", "-q", "--no-deps", "--no-build-isolation", "-w", dist, source)
    pip("install", "-q", "--no-index", "--no-deps", *dist.glob("livetally-*.whl"))
    pip("check")
    came_from = sh(python, "-c", "import livetally; print(livetally.__file__)", cwd=tmp_path, environment=environment)
    assert Path(came_from.strip()).is_relative_to(own)

    here = Livetally(other_livetally.data_dir, command=[str(tmp_path / "empty" / "bin" / "livetally")])
    assert here("--help").stdout == Livetally(other_livetally.data_dir)("--help").stdout
    here("run", "--voters", "300", "--rate", "max", "--exit-when-done", "--no-dashboard")
    assert here.json("audit")["ok"]
    assert "Run them from a checkout" in here("test", expect=2).stderr
