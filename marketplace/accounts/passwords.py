"""Passwords as argon2id, computed beside the event loop and a few at a time."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from marketplace.kernel.errors import Unavailable

# OWASP's password storage cheat sheet, argon2id: 19 MiB, two passes, one lane.
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
AT_ONCE_MAX = 2
WAITING_MAX = 256


class Passwords:
    """At most AT_ONCE_MAX computations at a time and WAITING_MAX in the queue, so that a flood of
    logins costs neither all memory nor the bids their processor.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._slots = asyncio.Semaphore(AT_ONCE_MAX)
        self._waiting = 0
        # Unknown addresses are checked against this, so they take as long as known ones.
        self._nobody = self._hasher.hash("nobody's password")

    async def hash(self, password: str) -> str:
        """Raises Unavailable when too many wait."""
        async with _Turn(self):
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """False for a wrong password and, after the same work, for `None` (nobody). Raises
        Unavailable.
        """
        async with _Turn(self):
            right = await asyncio.to_thread(self._verify, password_hash or self._nobody, password)
        return right and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """Whether it was made with other costs and should be made anew at this login."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerifyMismatchError, InvalidHashError):
            return False


class _Turn:
    """A place in the bounded queue, then a slot."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords

    async def __aenter__(self) -> None:
        if self._passwords._waiting >= WAITING_MAX:
            raise Unavailable("busy", "Too many people log in at this moment.")
        self._passwords._waiting += 1
        try:
            await self._passwords._slots.acquire()
        finally:
            self._passwords._waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        self._passwords._slots.release()
