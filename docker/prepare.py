"""Puts Java, Spark and Spark's JARs at fixed places while the image is built.

    python docker/prepare.py ROOT [MAVEN_REPOSITORY]

ROOT/java is the JAVA_HOME for driver, master and workers, ROOT/spark is the installed PySpark, ROOT/cache holds the JARs.
"""

# ruff: noqa: INP001 (a script, not a package)

import sys
from importlib.util import find_spec
from pathlib import Path

from livetally.embedded.jars import fetch, read_lock
from livetally.embedded.java import make_java_home


def prepare(root: Path, repository: str | None) -> None:
    make_java_home(root / "java")
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise SystemExit("PySpark is not installed.")
    (root / "spark").symlink_to(Path(spec.origin).parent)
    fetch({"spark": read_lock()["spark"]}, root / "cache", repository)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), (sys.argv[2] if len(sys.argv) > 2 else "") or None)  # noqa: PLR2004 (as the usage above says)
