"""Everything that the database keeps sealed by the master secret, sealed anew by another one.

One transaction: an interruption leaves all as it was, and a repetition finds nothing to do. What
changes meanwhile is left alone (its row no longer holds what was read): by then every node seals
with the new secret. Texts that neither secret opens are counted and left, they are lost already.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec

from auctions.book.envelope import Envelope
from auctions.book.receipts import key_sealer
from auctions.tenders import vault
from marketplace.exchange.delivery import PURPOSE as WEBHOOKS
from marketplace.exchange.mailing import link_sealer
from marketplace.kernel import secret as secrets
from marketplace.kernel.db import Database
from marketplace.kernel.idempotency import stored_context
from marketplace.kernel.sealing import NotSealedHere, Sealer

BATCH_ROWS = 500
"""As many sealed answers, of a mebibyte at most, as memory takes easily."""

Row = Mapping[str, Any]
Reseal = Callable[[Row, bytes], bytes | None]
"""What a row's column is to hold from now on; None: it may stay. Raises NotSealedHere."""


class Kept(msgspec.Struct, frozen=True):
    """One column that holds sealed texts. `key` are the columns of its primary key."""

    table: str
    key: tuple[str, ...]
    column: str
    reseal: Reseal
    where: str = "true"


class Rotated(msgspec.Struct):
    """How many texts were sealed anew, and how many nobody can open."""

    resealed: int = 0
    lost: int = 0


def kept_columns(secret: str) -> list[Kept]:
    """All of them. A column that another feature seals belongs into this list."""
    totp, hooks = Sealer(secret, "totp"), Sealer(secret, WEBHOOKS)
    links, keys = link_sealer(secret), key_sealer(secret)
    answers, envelope = Sealer(secret, "idempotency"), Envelope(secret)

    def of_auction(row: Row, text: bytes) -> bytes | None:
        return envelope.resealed(row["auction_id"], text)

    def log(table: str, column: str) -> Kept:
        key = ("auction_id", "seq")
        # Only bids of sealed phases are envelopes (`~`), and logs are long.
        where = f"substring({column} FROM 1 FOR 1) = '~'::bytea"
        return Kept(table, key, column, of_auction, where)

    def by_id(sealer: Sealer) -> Reseal:
        return lambda row, text: sealer.resealed(text, row["id"].bytes)

    answer_key = ("organisation_id", "caller_id", "key", "method", "path")
    return [
        Kept("users", ("id",), "totp_sealed", by_id(totp)),
        Kept("exchange_endpoints", ("id",), "secret_sealed", by_id(hooks)),
        Kept("exchange_endpoints", ("id",), "former_sealed", by_id(hooks)),
        Kept("exchange_mails", ("id",), "link_sealed", by_id(links)),
        Kept(
            "idempotency_keys", answer_key, "answer_sealed",
            lambda row, text: answers.resealed(text, stored_context(row)),
        ),
        Kept(
            "tender_key_shares", ("tender_id", "number"), "sealed",
            lambda row, text: vault.resealed_share(secret, row["tender_id"], row["number"], text),
        ),
        Kept(
            "signing_keys", ("key_id",), "wrapped_private",
            lambda row, text: keys.resealed(text, row["key_id"].encode()),
        ),
        log("auction_commands", "body"),
        log("auction_commands", "outcome"),
        log("auction_snapshots", "state"),
    ]  # fmt: skip


async def rotate(database: Database, secret: str) -> Rotated:
    """`secret` seals, its `others` open what was sealed before."""
    done = Rotated()
    pool = await database.pool()
    async with pool.acquire() as connection, connection.transaction():
        for kept in kept_columns(secret):
            async for batch in _batches(connection, kept):
                await _reseal(connection, kept, batch, done)
        await secrets.note_change(connection, secret)
    return done


async def _batches(connection: secrets.Connection, kept: Kept) -> AsyncIterator[list[Row]]:
    names = ", ".join([*kept.key, kept.column])
    cursor = await connection.cursor(
        f"SELECT {names} FROM {kept.table} WHERE {kept.column} IS NOT NULL AND {kept.where}"  # noqa: S608  # constants only
    )
    while rows := await cursor.fetch(BATCH_ROWS):
        yield rows


async def _reseal(
    connection: secrets.Connection, kept: Kept, rows: list[Row], done: Rotated
) -> None:
    changes: list[tuple[Any, ...]] = []
    for row in rows:
        text = row[kept.column]
        try:
            resealed = kept.reseal(row, text)
        except NotSealedHere:
            done.lost += 1
            continue
        if resealed is not None:
            changes.append((resealed, text, *(row[name] for name in kept.key)))
    same = " AND ".join(f"{name} = ${place}" for place, name in enumerate(kept.key, 3))
    await connection.executemany(
        f"UPDATE {kept.table} SET {kept.column} = $1 WHERE {kept.column} = $2 AND {same}",  # noqa: S608  # constants only
        changes,
    )
    done.resealed += len(changes)
