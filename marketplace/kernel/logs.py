"""Structured logs on standard error: one JSON object a line, or readable text for a terminal.

What is logged is named field by field; amounts, tokens, addresses and bodies never are. Of an
exception only its type and the places it went through are kept: its message may quote a row.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

import structlog

_QUIET = ("uvicorn", "uvicorn.error", "apscheduler", "sqlalchemy", "asyncio", "websockets")
FRAMES_MAX = 12


LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(log_format: str, log_level: str = "info") -> None:
    """`json` or `console`; our own events from `log_level` up, those of libraries from WARNING,
    of the metronome from ERROR.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        exception_places,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[log_level]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_first_line, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        library = logging.getLogger(name)
        library.handlers = []
        library.propagate = True
        # A beat that is left out because the last run still goes on is how the metronome works; the
        # worker itself says when a run takes too long.
        library.setLevel(logging.ERROR if name == "apscheduler" else logging.WARNING)


def places(error: BaseException) -> list[str]:
    """Where an exception went through, innermost last: `file.py:12 function`."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _first_line(_logger: Any, _method: str, event: Any) -> Any:
    """A library's message, but not the values that follow it: asyncio quotes whole exceptions."""
    event["event"] = str(event.get("event", "")).partition("\n")[0]
    return event


def exception_places(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor: of an exception, its type and places instead of its words."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["places"] = places(error)
    return event
