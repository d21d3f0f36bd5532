"""How the bots bid: through the public live channel, each with a private limit and a temper."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from auctions.live.client import AuctionClient
from marketplace.kernel.money import format_minor, parse_minor
from web.demo.cast import Player
from web.demo.figures import Figures

EXPONENT = 2
THINKING_S = (2.0, 12.0)
ENDED = ("closed", "cancelled")


class Bot:
    """One supplier in one auction until it ends. `floor` is the price it never goes below."""

    def __init__(self, player: Player, figures: Figures, dice: random.Random) -> None:
        self._player, self._dice = player, dice
        self._first = dice.randint(*figures.opening)
        self._floor = dice.randint(*figures.floors)
        self._patience = dice.uniform(0.6, 1.4)
        self._answers = _answers(figures.rules, dice)
        self._stepped: int | None = None

    async def play(self, base_url: str, auction_id: str) -> None:
        client = AuctionClient(base_url, self._player.key, auction_id)
        async with client, asyncio.TaskGroup() as group:
            moving = group.create_task(self._keep_moving(client))
            await client.until(*ENDED)
            moving.cancel()

    async def _keep_moving(self, client: AuctionClient) -> None:
        while True:
            if client.view["state"] == "open":
                await self._move(client, client.view)
            wait_s = self._dice.uniform(*THINKING_S) * self._patience
            clock = client.view.get("stage", {}).get("step") is not None
            await asyncio.sleep(min(wait_s, 1.0) if clock or _my_turn(client.view) else wait_s)

    async def _move(self, client: AuctionClient, view: dict[str, Any]) -> None:
        stage = view.get("stage", {})
        if stage.get("step") is not None:
            await self._at_step(client, stage)
            return
        price = self._price(view)
        if price is not None:
            await client.bid(format_minor(price, EXPONENT), attributes=self._answers or None)

    async def _at_step(self, client: AuctionClient, stage: dict[str, Any]) -> None:
        """On a clock: take the dutch price once it is high enough, stay in the japanese while it
        is.
        """
        price = parse_minor(stage["price"], EXPONENT)
        if price >= self._floor and stage["step"] != self._stepped:
            self._stepped = stage["step"]
            await client.accept(stage["step"])

    def _price(self, view: dict[str, Any]) -> int | None:
        """The next price, None to let it be: leading, at the limit, or not to be asked now."""
        best = view["you"].get("best")
        limit = view["next"]["max_price"]
        if best is None:
            top = self._first if limit is None else min(self._first, parse_minor(limit, EXPONENT))
            return top if top >= self._floor else None
        if limit is None or (view["you"].get("rank") == 1 and self._dice.random() < 0.9):
            return None
        highest = parse_minor(limit, EXPONENT)
        price = highest - self._dice.choice((0, 0, 0, 10_000, 100_000, 250_000))
        if price < self._floor:
            return highest if highest >= self._floor else None
        return price


def _my_turn(view: dict[str, Any]) -> bool:
    return bool(view["you"].get("turn"))


def _answers(rules: dict[str, Any], dice: random.Random) -> dict[str, str]:
    features = rules.get("scoring", {}).get("features", [])
    return {one["id"]: dice.choice(one["options"])["id"] for one in features}
