"""Nodes with a classic mistake, which the harness must catch: `MUTANT`, then what `serve` takes."""

from __future__ import annotations

import sys
from typing import Any

from auctions.book import journal
from auctions.book.book import Book
from web.cli import main

_send = Book._send


def _send_after(self: Book) -> Any:
    commit = _send(self)
    self._publish(commit.seq, commit.tag)
    return commit


async def _committed_before(self: Book, commit: Any) -> None:
    self._commit = None
    try:
        if not commit.kept.result():
            self.distrust()
    except BaseException:
        self.distrust()
        raise


def publish_early() -> None:
    """It answers before the commit."""
    Book._send = _send_after  # type: ignore[method-assign]
    Book._committed = _committed_before  # type: ignore[method-assign]


def visible_head() -> None:
    """It takes what the head shows after a commit that was cut off for durable."""
    journal._HEAD = (
        "SELECT auction_id, epoch, seq, ts, tag, chain, terms, salt_key, status, close_at, NULL "
        "FROM auction_head WHERE auction_id = $1"
    )


MUTANTS = {"early-publish": publish_early, "visible-head": visible_head}

if __name__ == "__main__":
    MUTANTS[sys.argv[1]]()
    sys.exit(main(["serve", *sys.argv[2:]]))
