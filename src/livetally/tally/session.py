"""The Spark session: on this machine or a cluster, with nothing to install there."""

import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from pyspark.sql import SparkSession

from livetally.settings import Settings

SHUFFLE_PARTITIONS = 2  # cells are few; Spark's 200 would make every batch seconds long
BATCHES_RETAINED = 10
REDACTED = "(?i)url|password|sasl|ssl"  # options that Spark does not print where it prints a plan

# Two small files a batch. Spark's own choice sets each file's rights by starting programs, twenty for every file, and takes 45 ms for it; this
# one takes 10. It renames without replacing what is there, which two writers would need; the tally is alone (`Cells.take_lock`).
CHECKPOINT_FILES = "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"


def open_session(settings: Settings, java_home: Path, jars: Sequence[Path]) -> SparkSession:
    os.environ["JAVA_HOME"] = str(java_home)  # Spark's launcher looks nowhere else
    work_dir = settings.data_dir.resolve() / "spark"
    work_dir.mkdir(parents=True, exist_ok=True)
    logging = Path(
        str(files("livetally.tally").joinpath("log4j2.properties"))
    ).as_uri()  # a URI holds no spaces, which would end the option
    config = {
        "spark.master": settings.spark_master,
        "spark.app.name": "livetally tally",
        "spark.driver.extraClassPath": ":".join(str(jar) for jar in jars),
        "spark.jars": "" if settings.spark_master.startswith("local") else ",".join(str(jar) for jar in jars),  # what workers are sent
        "spark.driver.memory": f"{settings.spark_memory_mb}m",
        "spark.executor.memory": f"{settings.spark_executor_memory_mb}m",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={logging} -XX:+UseSerialGC",
        "spark.executor.extraJavaOptions": "-XX:+UseSerialGC",
        "spark.local.dir": str(work_dir),
        "spark.sql.warehouse.dir": str(work_dir / "warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(SHUFFLE_PARTITIONS),
        "spark.sql.adaptive.enabled": "false",  # it looks at each shuffle before it plans on; ours are small and all alike
        "spark.sql.ansi.enabled": "true",
        "spark.sql.streaming.minBatchesToRetain": str(BATCHES_RETAINED),
        "spark.sql.streaming.noDataMicroBatches.enabled": "false",
        "spark.sql.streaming.metricsEnabled": "false",
        "spark.sql.redaction.options.regex": REDACTED,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.structuredLogging.enabled": "false",
    }
    if host := settings.spark_driver_host or ("127.0.0.1" if _is_on_this_machine(settings.spark_master) else None):
        config |= {"spark.driver.host": host}
        config |= {"spark.driver.bindAddress": "127.0.0.1" if host == "127.0.0.1" else "0.0.0.0"}  # noqa: S104 (a cluster's workers connect to the driver)
    if checkpoint_root(settings).startswith("file:"):
        config |= {"spark.sql.streaming.checkpointFileManagerClass": CHECKPOINT_FILES}
    builder = SparkSession.builder
    for name, value in config.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def checkpoint_root(settings: Settings) -> str:
    """The directory of all checkpoints, as a URL."""
    # Not `as_uri`: Hadoop takes the text behind the scheme as it is, and would make a directory with %20 in its name.
    return (settings.checkpoint_url or f"file://{settings.data_dir.resolve()}/checkpoints").rstrip("/")


def _is_on_this_machine(master: str) -> bool:
    return master.startswith("local") or "//127.0.0.1" in master or "//localhost" in master
