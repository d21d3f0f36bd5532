"""Reconnecting clients that bid through the public channel and note what they were promised."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec

from auctions.live.client import Ack, AuctionClient, FrameRefused
from web.demo.cast import Player

FIRST_CENTS = 10**11
IN_FLIGHT_MAX = 100
ANSWER_TIMEOUT_S = 180.0


class Promise(msgspec.Struct, frozen=True):
    """An acknowledged bid, as its bidder remembers it."""

    cid: str
    price: str
    ack: Ack


class Crowd:
    """All bidders of one auction. `promises` and `sent` grow while it bids."""

    def __init__(self, auction_id: str, urls: list[str], players: list[Player]) -> None:
        self.auction_id = auction_id
        self.promises: list[Promise] = []
        self.latencies: list[float] = []
        self.sent = self.given_up = 0
        self.left: list[str] = []
        self.accepted_at: dict[str, float] = dict.fromkeys(urls, 0.0)
        """When each node last acknowledged a bid that was accepted."""
        self._urls, self._players = urls, players
        self.patience_s = ANSWER_TIMEOUT_S
        self._stopping = asyncio.Event()

    async def accepts_again(self, since: float) -> None:
        """Until each node has acknowledged an accepted bid after that time."""
        while min(self.accepted_at.values()) <= since:  # noqa: ASYNC110  # many tasks write it
            await asyncio.sleep(0.02)

    async def bid(self, per_second: float) -> None:
        """Until `stop` or the end of the auction; returns when every bid sent was answered."""
        share = per_second / len(self._players)
        async with asyncio.TaskGroup() as group:
            for number, player in enumerate(self._players):
                url = self._urls[number % len(self._urls)]
                group.create_task(self._bidder(url, player, number, share))

    def stop(self) -> None:
        self._stopping.set()

    async def _bidder(self, url: str, player: Player, number: int, per_second: float) -> None:
        async with AuctionClient(url, player.key, self.auction_id) as client:
            running: set[asyncio.Task[None]] = set()
            count, due = 0, time.monotonic() + number / 1000
            while not self._stopping.is_set() and client.view["state"] not in (
                "closed",
                "cancelled",
            ):
                due = max(due + 1 / per_second, time.monotonic() - 1)
                await asyncio.sleep(max(0.0, due - time.monotonic()))  # pacing
                if len(running) >= IN_FLIGHT_MAX or client.view["state"] != "open":
                    continue
                count += 1
                cents = FIRST_CENTS - count
                price = f"{cents // 100}.{cents % 100:02}"
                cid = f"{number}-{count}"
                task = asyncio.create_task(self._one(client, url, cid, price), name=cid)
                running.add(task)
                task.add_done_callback(running.discard)
            if running:
                await asyncio.wait(running, timeout=self.patience_s)
            unanswered = [task for task in running if not task.done()]
            self.given_up += len(unanswered)
            for task in unanswered:
                self.left.append(f"{player.name} at {url}: {task.get_name()}")
                task.cancel()

    async def _one(self, client: AuctionClient, url: str, cid: str, price: str) -> None:
        self.sent += 1
        begun = time.monotonic()
        try:
            ack = await client.bid(price, cid=cid)
        except FrameRefused:
            return
        now = time.monotonic()
        self.latencies.append(now - begun)
        if ack.accepted:
            self.accepted_at[url] = now
        self.promises.append(Promise(cid, price, ack))

    def summary(self) -> dict[str, Any]:
        accepted = sum(promise.ack.accepted for promise in self.promises)
        return {"sent": self.sent, "answered": len(self.promises), "accepted": accepted}


class Watcher:
    """Reads the signed heads that a node shows: where it says history stands."""

    def __init__(self, auction_id: str, url: str, key: str) -> None:
        self.heads: dict[int, str] = {}
        self._auction_id, self._url, self._key = auction_id, url, key

    async def watch(self) -> None:
        """Until cancelled."""
        async with AuctionClient(self._url, self._key, self._auction_id) as client:
            async for frame in client.events():
                if frame.get("kind") == "head":
                    self.heads[frame["head"]["seq"]] = frame["head"]["chain"]
