"""How far PostgreSQL is, on its way to Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from auctions.book.book import Book

PAUSE_S, PAUSE_ALONE_S, AGAIN_S = 0.005, 0.05, 0.05


class Marks:
    """Books with new durable commands. Their marks ride with the next bids; if none come soon,
    `wake` is called and they go alone.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._books: dict[UUID, Book] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, book: Book, *, alone: bool) -> None:
        """`alone`: no other node waits to hear of it."""
        self._books[book.auction_id] = book
        self._wake_in(PAUSE_ALONE_S if alone else PAUSE_S)

    def again(self, books: dict[UUID, Book]) -> None:
        """Lost hints would leave the places of these commands taken for ever."""
        if books:
            self._books = books | self._books
            self._wake_in(AGAIN_S)

    def take(self) -> dict[UUID, Book]:
        """All of them; whoever takes them tells them."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        books, self._books = self._books, {}
        return books

    def _wake_in(self, pause_s: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(pause_s, self._wake)
