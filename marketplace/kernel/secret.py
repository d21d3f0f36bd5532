"""The master secret, and whether it is the one that a database was set up with.

While a secret is being changed two are known: one seals, both open. So nodes can be restarted one
by one, and `marketplace rotate-secret` can work beside them.
"""

from __future__ import annotations

from typing import Any, Self

from marketplace.kernel.sealing import derived_key, secrets_of

Connection = Any
"""asyncpg's, from a pool or not."""


class Secret(str):
    """A secret that seals; `others` may only open."""

    __slots__ = ("others",)
    others: tuple[str, ...]

    def __new__(cls, text: str, *others: str) -> Self:
        made = super().__new__(cls, text)
        made.others = tuple(other for other in others if other and other != text)
        return made


_FIRST = "INSERT INTO installation (secret_check) VALUES ($1) ON CONFLICT DO NOTHING"
_KEPT = "SELECT secret_check FROM installation"
_CHANGE = "UPDATE installation SET secret_check = $1, secret_changed_at = now()"


async def is_right(connection: Connection, secret: str) -> bool:
    """Whether `secret` opens what this database keeps sealed. The first process of a new
    installation decides which secret that is. The connection must be in the system scope.
    """
    kept = await connection.fetchval(_KEPT)
    if kept is None:
        await connection.execute(_FIRST, _check(secret))
        kept = await connection.fetchval(_KEPT)
    return kept in [_check(each) for each in secrets_of(secret)]


async def note_change(connection: Connection, secret: str) -> None:
    """From now on `secret` is the right one."""
    await connection.execute(_CHANGE, _check(secret))


def _check(secret: str) -> bytes:
    """Tells secrets apart and gives nothing away, as long as the secret is a random one."""
    return derived_key(secret, "which master secret this is")
