"""Makes `src/livetally/embedded/jars.lock` again: resolves, downloads, and writes sha256 and size of every JAR.

    python tools/lock_jars.py

Kafka's JARs are resolved from its POM by jgo. Spark's are listed: the parent POM of Spark 4.2 names a
mirror that does not answer, and one of the four exists only under another version (see
docs/decisions/0005-versions-and-their-holes.md).
"""

import hashlib
import sys
from pathlib import Path

from jgo.maven import MavenContext, Model

LOCK = Path(__file__).parent.parent / "src/livetally/embedded/jars.lock"
CACHE = Path.home() / ".cache" / "livetally-lock-jars"

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
SLF4J_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl"  # takes the version of the log4j-core that Kafka brings
SPARK = (
    "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0",
    "org.apache.spark:spark-token-provider-kafka-0-10_2.13:4.0.0",
    "org.apache.kafka:kafka-clients:3.9.2",
    "org.apache.commons:commons-pool2:2.13.1",
    "org.postgresql:postgresql:42.7.14",
)
HEADER = """\
# The JARs that livetally fetches. Made by tools/lock_jars.py; do not edit.
# group:artifact:version sha256 size_bytes
"""


def kafka_coordinates(context: MavenContext) -> list[str]:
    group, artifact, version = KAFKA.split(":")
    pom = context.project(group, artifact).at_version(version).pom()
    dependencies, _ = Model(pom, context=context).dependencies()
    found = {f"{d.groupId}:{d.artifactId}:{d.version}" for d in dependencies if d.scope in {"compile", "runtime"}}
    (log4j_version,) = [one.rsplit(":", 1)[1] for one in found if one.startswith("org.apache.logging.log4j:log4j-core:")]
    return sorted(found | {KAFKA, f"{SLF4J_BINDING}:{log4j_version}"})


def line(context: MavenContext, coordinate: str) -> str:
    group, artifact, version = coordinate.split(":")
    content = Path(context.project(group, artifact).at_version(version).artifact().resolve()).read_bytes()
    return f"{coordinate} {hashlib.sha256(content).hexdigest()} {len(content)}"


def main() -> None:
    context = MavenContext(repo_cache=CACHE)
    sets = {"kafka": kafka_coordinates(context), "spark": list(SPARK)}
    parts = [HEADER]
    for name, coordinates in sets.items():
        parts.append("\n".join([f"[{name}]", *(line(context, one) for one in coordinates)]) + "\n")
    LOCK.write_text("\n".join(parts), encoding="utf-8")
    sys.stdout.write(f"{LOCK.name}: {sum(map(len, sets.values()))} JARs\n")


if __name__ == "__main__":
    main()
