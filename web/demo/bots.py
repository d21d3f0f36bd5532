"""How the bots bid: through the public live channel, each with a private limit and a temper.

What they decide is `auctions.practice.strategy`; here they only look, wait and speak.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

from auctions.live.client import AuctionClient
from auctions.practice.strategy import Character, Offer, Take, answers_to, next_move
from web.demo.cast import Player
from web.demo.figures import CURRENCY, Figures

LOOK_S = (0.6, 1.4)
"""How long a bot waits between two looks."""

ENDED = ("closed", "cancelled")


class Bot:
    """One supplier in one auction until it ends."""

    def __init__(self, player: Player, figures: Figures, dice: random.Random) -> None:
        self._player, self._dice = player, dice
        opening = dice.randint(*figures.opening)
        self.character = Character(
            opening_minor=opening,
            floor_minor=dice.randint(*figures.floors),
            answers=answers_to(figures.rules, opening, CURRENCY, dice),
        )

    async def play(self, base_url: str, auction_id: str) -> None:
        client = AuctionClient(base_url, self._player.key, auction_id)
        async with client, asyncio.TaskGroup() as group:
            moving = group.create_task(self._keep_moving(client))
            await client.until(*ENDED)
            moving.cancel()

    async def _keep_moving(self, client: AuctionClient) -> None:
        while True:
            await self.move(client, client.view)
            await asyncio.sleep(self._dice.uniform(*LOOK_S))

    async def move(self, client: AuctionClient, view: dict[str, Any]) -> None:
        """One look, and what follows from it. A doubted price was meant: it is confirmed."""
        move = next_move(view, self.character, self._dice)
        if isinstance(move, Take):
            await client.accept(move.step)
        elif isinstance(move, Offer):
            answers = move.answers or None
            ack = await client.bid(move.price, attributes=answers)
            if ack.token is not None:
                await client.bid(move.price, attributes=answers, confirm=ack.token)
