"""A node with the classic mistake: it publishes before the commit. The harness must catch it."""

from __future__ import annotations

import sys
from typing import Any

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
        if not commit.task.result():
            self.distrust()
    except BaseException:
        self.distrust()
        raise


Book._send = _send_after  # type: ignore[method-assign]
Book._committed = _committed_before  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
