"""Many events become few: what a watcher misses between two frames, without missing what counts.

    newest a bidder   `bid`: of a bidder's bids between two frames only the last one is told
    newest            `stage`
    nobody's          an automatic limit: its bidder sees it in `you`
    all of them       everything else: opened, extended, paused, resumed, withdrawn, dropped,
                      message, admitted, excluded, closed, cancelled

Standing, own place and limits are no events here: frames carry them whole, as they are at the end.
"""

from __future__ import annotations

from collections.abc import Iterable

from auctions.book.fold import Durable
from auctions.rules.core.commands import Command
from auctions.rules.core.outcomes import AnyEvent, AutoSet, BidPlaced, Stage

Happened = tuple[Command, AnyEvent]


def conflated(durables: Iterable[Durable]) -> list[Happened]:
    """What is to be told of these commands, in the order in which it happened."""
    kept: dict[object, Happened] = {}
    for durable in durables:
        for number, event in enumerate(durable.outcome.events):
            if isinstance(event, AutoSet):
                continue
            place = _place(event, durable.seq, number)
            # Taken out first: the newer one belongs where it happened.
            kept.pop(place, None)
            kept[place] = durable.command, event
    return list(kept.values())


def _place(event: AnyEvent, seq: int, number: int) -> object:
    if isinstance(event, BidPlaced):
        return event.bidder
    if isinstance(event, Stage):
        return Stage
    return seq, number
