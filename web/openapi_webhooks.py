"""What endpoints receive, as the `webhooks` of the OpenAPI document: every event there is."""

from __future__ import annotations

from typing import Any

from marketplace.exchange.catalogue import EVENTS, Event
from web.documented import BY_FORMAT, schemas_of

_REF = "#/components/schemas/{}"
_HEADERS = {
    "webhook-id": "The event's id, the same in every attempt: handle each id once.",
    "webhook-timestamp": "Seconds since 1970 of this attempt; refuse what is older than five "
    "minutes.",
    "webhook-signature": "`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; two of them, "
    "apart by a blank, for a day after the secret was changed.",
}


def webhooks(schemas: dict[str, Any]) -> dict[str, Any]:
    """An operation for each event; adds the schemas of their data to `schemas`."""
    schemas |= schemas_of(*{event.data for event in EVENTS.values()})
    return {name: {"post": _operation(name, event)} for name, event in EVENTS.items()}


def _operation(name: str, event: Event) -> dict[str, Any]:
    return {
        "summary": event.title,
        "description": "Sent to every endpoint of the receiver that wants this event. Anything but "
        "a 2xx within the time limit is tried again, with longer and longer breaks.",
        "tags": ["exchange"],
        "parameters": [_header(*each) for each in _HEADERS.items()],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _message(name, event)}},
        },
        "responses": {"2XX": {"description": "Received; what the answer holds is not read."}},
    }


def _header(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": schema,
    }


def _message(name: str, event: Event) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["data", "timestamp", "type"],
        "properties": {
            "type": {"type": "string", "const": name, "description": "Which event it is."},
            "timestamp": {
                "type": "string",
                "format": "date-time",
                "description": "When it happened, not when it was sent.",
                "examples": [BY_FORMAT["date-time"]],
            },
            "data": {
                "$ref": _REF.format(event.data.__name__),
                "description": "Ids to ask the API with, and what people want to read at once.",
            },
        },
    }
