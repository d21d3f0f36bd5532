"""A node with the classic mistake: it publishes before the commit. The harness must catch it."""

from __future__ import annotations

import sys

from auctions.book.book import Book
from web.cli import main


async def _commit_late(self: Book) -> None:
    pending, before = self._pending, self._recorded
    state = self.fold.state
    self._publish()
    try:
        await self._journal.record(
            self.auction_id, epoch=self.epoch, after_seq=before[0], after_tag=before[1],
            records=[durable.record for durable in pending], status=state.status,
            close_at=state.close_at,
        )  # fmt: skip
    except BaseException:
        self._pending = pending
        self.distrust()
        raise


Book._commit = _commit_late  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
