"""Passwords: argon2id, and which are refused; computed beside the event loop, a few at a time."""

from __future__ import annotations

import asyncio
from collections import deque

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from zxcvbn_rs_py import Warning as Weakness
from zxcvbn_rs_py import zxcvbn

from marketplace.accounts import rules
from marketplace.kernel.errors import FieldError, Unavailable

# OWASP's password storage cheat sheet, argon2id: 19 MiB, two passes, one lane.
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
AT_ONCE_MAX = 2
WAITING_MAX = 600
"""More than one address may send at once (`LoginLimits.per_address`), so that no single address
fills the queue; and all of them are done within some ten seconds.
"""
GUESSES_MIN = 10**8
"""zxcvbn's score 3, "safely unguessable": years at the few tries a minute that we allow."""
JUDGED_CHARS_MAX = 32
"""zxcvbn looks at the first ones only: its time grows quickly with characters that may stand for
letters (0.7 s for 32 of them, 10 s for 100).
"""
_COMMON = (
    Weakness.ThisIsATop10Password,
    Weakness.ThisIsATop100Password,
    Weakness.ThisIsACommonPassword,
    Weakness.ThisIsSimilarToACommonlyUsedPassword,
)

_Lane = deque[asyncio.Future[None]]


class Passwords:
    """At most AT_ONCE_MAX computations at a time, so that a flood of logins costs neither all
    memory nor the bids their processor.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._turns = Turns(AT_ONCE_MAX)
        # Unknown addresses are checked against this, so they take as long as known ones.
        self._nobody = self._hasher.hash("nobody's password")

    async def errors(self, field: str, password: str, *well_known: str) -> list[FieldError]:
        """Why this is no password for somebody of whom the texts `well_known` are known: too short,
        common, or easily guessed. Raises Unavailable.
        """
        if errors := rules.password_errors(field, password):
            return errors
        known, judged = rules.well_known_words(*well_known), password[:JUDGED_CHARS_MAX]
        async with self._turns.of(known=False):
            found = await asyncio.to_thread(zxcvbn, judged, known)
        if found.guesses >= GUESSES_MIN:
            return []
        hint = "Take three or four words that have nothing to do with each other."
        if found.feedback is not None and found.feedback.warning in _COMMON:
            message = f"Many people use this password, or one much like it. {hint}"
            return [FieldError(field, "password_common", message, hint)]
        message = f"This password is easy to guess. {hint}"
        return [FieldError(field, "password_guessable", message, hint)]

    async def hash(self, password: str) -> str:
        """Raises Unavailable when too many wait."""
        async with self._turns.of(known=False):
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(
        self, password_hash: str | None, password: str, *, known: bool = False
    ) -> bool:
        """False for a wrong password and, after the same work, for `None` (nobody). `known`: the
        caller has logged in before and goes first. Raises Unavailable.
        """
        if len(password) > rules.PASSWORD_CHARS_MAX:
            return False
        async with self._turns.of(known=known):
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


class Turns:
    """`at_once` turns at a time. Two bounded queues: whoever is known goes before all strangers, so
    that a flood of strangers keeps nobody out who has logged in here before.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._known: _Lane = deque()
        self._strangers: _Lane = deque()

    def of(self, *, known: bool) -> _Turn:
        return _Turn(self, self._known if known else self._strangers)

    async def take(self, lane: _Lane) -> None:
        """Raises Unavailable when too many wait."""
        if self._free > 0:
            self._free -= 1
            return
        if len(lane) >= WAITING_MAX:
            raise Unavailable("busy", "Too many people log in at this moment.")
        turn = asyncio.get_running_loop().create_future()
        lane.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                lane.remove(turn)
            else:
                self.give()
            raise

    def give(self) -> None:
        """The next one's turn. A cancelled one takes itself out of its queue."""
        for lane in (self._known, self._strangers):
            for turn in lane:
                if not turn.done():
                    turn.set_result(None)
                    lane.remove(turn)
                    return
        self._free += 1


class _Turn:
    def __init__(self, turns: Turns, lane: _Lane) -> None:
        self._turns = turns
        self._lane = lane

    async def __aenter__(self) -> None:
        await self._turns.take(self._lane)

    async def __aexit__(self, *_: object) -> None:
        self._turns.give()
