"""Events with fields, as JSON or for a console; nothing personal, by a filter that a test watches."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_SECRETS = re.compile(r"(\+?\d[\d \-]{7,}\d)|(\d{6,}:[A-Za-z0-9_-]{20,})|\b(AC|SK)[0-9a-f]{32}\b")
"""Phone numbers, bot tokens, account ids."""

NOISY = ("httpx", "httpcore", "telegram", "twilio", "twilio.http_client", "apscheduler", "aiosqlite")
"""Libraries that log URLs with tokens, or parameters with phone numbers, below warning level."""

_KEEP = frozenset({"timestamp", "level", "event", "case", "port", "url"})

log: structlog.stdlib.BoundLogger = structlog.get_logger()


_TRACES = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)
"""The way to an error without the values on it: those are people's names, numbers and words."""


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blot out whatever looks like a phone number or a token, wherever it hides."""
    for name, value in event.items():
        if name not in _KEEP:
            event[name] = _blotted(value)
    return event


def _blotted(value: Any) -> Any:
    """The same at any depth: an error's traceback is lists of tables."""
    if isinstance(value, str):
        return _SECRETS.sub("[hidden]", value)
    if isinstance(value, Mapping):
        return {name: _blotted(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_blotted(inner) for inner in value]
    return value


def configure(*, json: bool, level: str = "INFO") -> None:
    """Set up logging for this process. Call once, from the command line."""
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _TRACES if json else _short_traceback,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        # Where the errors go now, not where they went when this was set up.
        logger_factory=lambda *_args: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _short_traceback(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """On a console an error is its name; the whole story is in the JSON log."""
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
    return event
