"""The log of a stage: logfmt, one line per event, for people and for programs.

    2026-05-07T21:30:00.123Z level=warning stage=record event="trying again" in_s=0.5 why="Kafka does not answer"

`log.warning("trying again", extra={"in_s": 0.5, "why": error})` makes this line: the event is a text that stays the same, what
differs from one time to the next is a field. A stack trace, if there is one, follows on lines that begin with spaces.
"""

import json
import logging
import sys
from datetime import UTC, datetime

OURS = "livetally"
PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}  # what every record has; all else came as `extra`


def start_logging(stage: str) -> logging.Handler:
    """One line per event that a person would act on, on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Logfmt(stage))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("py4j").setLevel(logging.ERROR)  # Spark's way to Java tells of every connection
    return handler


class Logfmt(logging.Formatter):
    def __init__(self, stage: str) -> None:
        super().__init__()
        self._stage = stage

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {} if record.name.startswith(OURS) else {"logger": record.name}
        fields |= {name: value for name, value in vars(record).items() if name not in PLAIN}
        trace = ""
        if record.exc_info and (error := record.exc_info[1]) is not None:
            fields["error"] = f"{type(error).__name__}: {error}"
            trace = "".join(f"\n    {line}" for line in self.formatException(record.exc_info).splitlines())
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = f"{moment} level={record.levelname.lower()} stage={self._stage} event={_quoted(_line(record.getMessage()))}"
        return head + "".join(f" {name}={_written(value)}" for name, value in fields.items()) + trace


def _written(value: object) -> str:
    """A value on one line: bare where that is unambiguous, else quoted as JSON does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = _line(str(value))
    is_bare = text and text.isprintable() and not set(text) & set(' "=\\')
    return text if is_bare else _quoted(text)


def _line(text: str) -> str:
    return " ".join(line.strip() for line in text.splitlines())


def _quoted(text: str) -> str:
    return '"' + "".join(one if one.isprintable() and one not in '"\\' else json.dumps(one)[1:-1] for one in text) + '"'
