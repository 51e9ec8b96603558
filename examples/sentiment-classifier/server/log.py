"""The log: one JSON object per line on standard output."""

import json
import logging
import sys
from datetime import UTC, datetime

_LOGGER = logging.getLogger("server")


class JsonFormatter(logging.Formatter):
    """Writes a log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's time, level, message and fields, and its traceback if it has one."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(level: str) -> None:
    """Sends all logs of the process to standard output as JSON, including the web server's lines and warnings."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)


def event(name: str, *, level: int = logging.INFO, traceback: bool = False, **fields: object) -> None:
    """Logs one event; `traceback` adds that of the exception being handled."""
    _LOGGER.log(level, name, exc_info=traceback, extra={"fields": fields})
