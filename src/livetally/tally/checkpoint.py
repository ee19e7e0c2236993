"""Spark's checkpoint, as far as we must understand it: whose it is, how far it is, and what a batch has read.

Spark does not notice every checkpoint that does not fit the query (its check ignores names), so a
fingerprint of our own lies beside it.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from livetally.core.tally import AGE_GROUPS, Cell
from livetally.core.wire import VOTES

QUERY_VERSION = 3  # raise it whenever the meaning of a cell changes in a way that the fingerprint does not see
BEGINNING = "sources/0/0"  # in a checkpoint: where the first batch begins


def fingerprint(cluster_id: str, votes_topic_id: str, ledger_id: str) -> str:
    """What a count depends on: another value means that its checkpoint and cells are of something else."""
    meaning = json.dumps([QUERY_VERSION, Cell._fields, AGE_GROUPS, cluster_id, votes_topic_id, ledger_id])
    return hashlib.sha256(meaning.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint at any URL that Spark accepts, reached through Hadoop's file systems as Spark itself does.

    No file system knows who holds the tally's lock. So `be_sure` is called right before anything is changed: it raises if we do not.
    """

    spark: SparkSession
    url: str
    be_sure: Callable[[], None]

    def fault(self, fingerprint: str, stored_batch: int, positions: Mapping[int, int]) -> str | None:
        """Why the count cannot go on from here, in words; None if it can. The last batch that PostgreSQL has, and how far that had read."""
        found = self._read("fingerprint")
        if found is None:
            return "its checkpoint is lost"
        if found.strip() != fingerprint:
            return "its checkpoint belongs to another count"
        finished = self._last_number("commits")
        if finished not in (stored_batch - 1, stored_batch):
            return f"its checkpoint has finished batch {finished}, the database has batch {stored_batch}"
        if not self._is_whole(stored_batch, finished):
            return "its checkpoint is damaged"
        if stored_batch >= 0 and self.ends_of(stored_batch) != positions:
            return "its checkpoint has read something else than the database has counted"
        return None

    def set_back(self, stored_batch: int) -> None:
        """Let Spark do the batch behind `stored_batch` again, if it has finished that one and nobody stored it. Nothing of it is read anew: its offsets stay."""
        if self._last_number("commits") != stored_batch + 1:
            return
        self.be_sure()
        for number in range(self._last_number("offsets"), stored_batch + 1, -1):
            self._files().delete(self._path(f"offsets/{number}"), False)
        self._files().delete(self._path(f"commits/{stored_batch + 1}"), False)

    def begin(self, fingerprint: str) -> None:
        """Make an empty checkpoint for a new count."""
        self.remove()  # which is sure
        stream = self._files().create(self._path("fingerprint"), True)
        stream.write(bytearray(fingerprint.encode()))
        stream.close()

    def remove(self) -> None:
        self.be_sure()
        self._files().delete(self._path(), True)

    def ends_of(self, batch: int) -> dict[int, int]:
        """Per partition of `votes_topic`, the offset up to which this batch reads. Spark writes it before the batch runs."""
        return {int(partition): int(offset) for partition, offset in self._last_line(f"offsets/{batch}")[VOTES].items()}

    def _is_whole(self, stored_batch: int, finished: int) -> bool:
        """Whether everything is there and readable that Spark and the count begin with. Spark would not say no: it would stop, each time that
        it is started. Older batches nobody looks at, and Spark throws their files away.
        """
        newest = self._last_number("offsets")
        first = max(0, min(stored_batch, newest - 1))  # the newest batch begins where the one before ends
        try:
            for batch in range(first, newest + 1):
                self.ends_of(batch)
            if finished >= 0:
                self._last_line(f"commits/{finished}")
            elif self._exists(BEGINNING):
                self._last_line(BEGINNING)
            if newest >= 0 or self._exists("metadata"):
                self._last_line("metadata")
        except (FileNotFoundError, ValueError, LookupError):
            return False
        return newest >= stored_batch

    def _last_line(self, name: str) -> Any:
        """What one of Spark's files says, behind its version. Raises FileNotFoundError, ValueError or LookupError if it is not all there."""
        text = self._read(name)
        if text is None:
            raise FileNotFoundError(f"{self.url}/{name}")
        return json.loads(text.splitlines()[-1])

    def _last_number(self, folder: str) -> int:
        if not self._exists(folder):
            return -1
        names = [status.getPath().getName() for status in self._files().listStatus(self._path(folder))]
        return max((int(name) for name in names if name.isdigit()), default=-1)

    def _exists(self, name: str) -> bool:
        return bool(self._files().exists(self._path(name)))

    def _read(self, name: str) -> str | None:
        if not self._exists(name):
            return None
        stream = self._files().open(self._path(name))
        try:
            return str(self._jvm().org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))
        except Py4JJavaError as error:
            if error.java_exception.getClass().getSimpleName() != "ChecksumException":
                raise
            return ""  # what it says now is not what was written
        finally:
            stream.close()

    def _path(self, name: str = "") -> Any:
        return self._jvm().org.apache.hadoop.fs.Path(f"{self.url}/{name}" if name else self.url)

    def _files(self) -> Any:
        return self._path().getFileSystem(self.spark._jsc.hadoopConfiguration())  # noqa: SLF001 (PySpark has no other way to Hadoop's file systems)

    def _jvm(self) -> Any:
        return self.spark._jvm  # noqa: SLF001 (likewise)
