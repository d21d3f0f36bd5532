"""Facts travel up: a lower floor says what happened, upper floors have subscribed.

A fact is a frozen struct; its type is its name. Handlers run in the publisher's transaction, in the
order of their subscription, so what they write stands or falls with the fact itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all facts."""


F = TypeVar("F", bound=Fact)
Handler = Callable[[AsyncSession, F], Awaitable[None]]


class Facts:
    """One per process; subscriptions are made in `web/wiring.py` before anything is published."""

    def __init__(self) -> None:
        self._handlers: dict[type[Fact], list[Handler[Any]]] = {}

    def subscribe(self, kind: type[F], handler: Handler[F]) -> None:
        self._handlers.setdefault(kind, []).append(handler)

    async def publish(self, session: AsyncSession, fact: Fact) -> None:
        """Run every handler of exactly this type. A handler's exception ends the transaction."""
        for handler in self._handlers.get(type(fact), ()):
            await handler(session, fact)
