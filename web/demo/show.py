"""One auction after the other: publish, let the bots bid, show the result, begin again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from auctions.live.client import AuctionClient, Refused
from marketplace.kernel.clock import Clock
from web.demo.bots import Bot
from web.demo.cast import PASSWORD, Cast, Player
from web.demo.figures import CURRENCY, FIGURES, Figures

STARTS_IN_S = 12
PAUSE_S = 25


def who_is_who(base_url: str, cast: Cast) -> list[str]:
    """What a person needs to join."""
    rows = [
        ("buyer, sees everything", cast.buyer.email),
        *((f"supplier, waits for you: {guest.name}", guest.email) for guest in cast.guests),
        ("supplier, played by a bot; a partner with earnings and acts", cast.bots[0].email),
        ("operator; a payout run waits for a second person", cast.operator_email),
    ]
    width = max(len(email) for _, email in rows)
    lines = [f"Open {base_url} and log in. The password is always {PASSWORD}"]
    return lines + [f"  {email:<{width}}  {what}" for what, email in rows]


async def perform(
    base_url: str, cast: Cast, format_: str, say: Callable[[str], None], *, bots: bool
) -> None:
    """Auctions of that format, for ever."""
    dice = random.Random()  # noqa: S311  # how bots bid is no secret
    while True:
        auction_id = await publish(cast, FIGURES[format_])
        say(f"Next auction ({format_}) starts in {STARTS_IN_S} s: {base_url}/auctions/{auction_id}")
        players = cast.bots if bots else []
        async with asyncio.TaskGroup() as group:
            group.create_task(_announce(base_url, cast.buyer, auction_id, say))
            for player in players:
                bot = Bot(player, FIGURES[format_], dice)
                group.create_task(bot.play(base_url, auction_id))
        await asyncio.sleep(PAUSE_S)


async def publish(cast: Cast, figures: Figures) -> str:
    """A tender with one lot, from draft to an auction everybody has joined; the auction's id."""
    starts_at = (Clock().now() + timedelta(seconds=STARTS_IN_S)).isoformat()
    lot: dict[str, Any] = {
        "title": figures.title,
        "items": [{"name": figures.item, "quantity": figures.quantity, "unit": "C62"}],
        "rules": {**figures.rules, "starts_at": starts_at.replace("+00:00", "Z")},
    }
    if figures.ceiling is not None:
        lot["ceiling"] = {"amount": figures.ceiling, "currency": CURRENCY}
    suppliers = [*cast.bots, *cast.guests]
    draft = {"title": figures.title, "currency": CURRENCY, "access": "invited", "lots": [lot]}
    tender = await cast.buyer.rest.post("/api/v1/tenders", draft)
    path = f"/api/v1/tenders/{tender['id']}"
    invited = {"organisations": [supplier.organisation_id for supplier in suppliers]}
    await cast.buyer.rest.post(f"{path}/invitations", invited)
    published = await cast.buyer.rest.post(f"{path}/publish")
    for supplier in suppliers:
        await supplier.rest.post(f"{path}/participation", {"accept_terms": True})
    return str(published["lots"][0]["auction_id"])


async def _announce(
    base_url: str, buyer: Player, auction_id: str, say: Callable[[str], None]
) -> None:
    """Watch as the buyer does and say how it goes."""
    try:
        async with AuctionClient(base_url, buyer.key, auction_id) as client:
            await client.until("open")
            say("The auction is open.")
            await client.until("closed", "cancelled")
        result = await buyer.rest.get(f"/api/v1/auctions/{auction_id}")
    except Refused as refused:
        say(f"The buyer cannot watch: {refused}")
        return
    standing = result["standing"]
    if not standing:
        say("The auction ended without a bid.")
        return
    best = standing[0]
    say(f"The auction is closed: {best['alias']} wins at {best['price']} {CURRENCY},")
    say(f"  {len(standing)} bidders, {STARTS_IN_S + PAUSE_S} s until the next one starts.")
