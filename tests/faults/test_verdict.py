"""The verdict itself notices an auction that closes sooner than its bidders were promised."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from auctions.rules.core.commands import AnyBody, Bid, Tick
from auctions.rules.core.outcomes import AnyEvent, Closed, Opened, Outcome, Resumed
from tests.faults.verdict import Closing, Verdict

S = 1_000_000
START = 1_000 * S
CLOSE = START + 12 * S
BID = Bid(cid="c", bidder="a", price="1.00")


def judged(*steps: tuple[int, AnyBody, list[AnyEvent]]) -> Verdict:
    """What is found in commands at these times, with these events."""
    verdict = Verdict([])
    closing, close_at = Closing(verdict), CLOSE
    for seq, (ts, body, events) in enumerate(steps, 1):
        state = SimpleNamespace(
            status="open", close_at=close_at, stage=SimpleNamespace(ends_at=close_at)
        )
        fold: Any = SimpleNamespace(state=state)
        closing.before(fold, {"seq": seq, "ts": ts})
        closing.after(body, Outcome(accepted=True, events=events))
        for event in events:
            close_at = getattr(event, "close_at", close_at)
    return verdict


BEGIN = [
    (START - 1 * S, Tick(), []),
    (START, Tick(), [Opened(close_at=CLOSE)]),
]  # fmt: skip
BEATS = [(START + n * S, Tick(), []) for n in range(1, 12)]


def test_an_auction_that_closes_in_time_is_right() -> None:
    verdict = judged(*BEGIN, *BEATS, (CLOSE, Tick(), [Closed(close_at=CLOSE)]))
    assert verdict == Verdict([], closed=True)


@pytest.mark.parametrize("given_s", [120, 119])
def test_an_outage_gives_two_minutes(given_s: int) -> None:
    back = START + 5 * S
    event = Resumed(close_at=back + given_s * S, outage=True)
    verdict = judged(*BEGIN, (back, Tick(), [event]))
    assert verdict.outages == 1
    assert (verdict.problems == []) == (given_s == 120)


def test_closing_after_a_silence_is_noticed() -> None:
    verdict = judged(*BEGIN, (CLOSE, Tick(), [Closed(close_at=CLOSE)]))
    assert verdict.problems == ["blind: at 3 closed after a silence"]


def test_closing_before_its_time_is_noticed() -> None:
    early = (START + 11 * S, Tick(), [Closed(close_at=START + 11 * S)])
    assert judged(*BEGIN, *BEATS[:-1], early).problems == ["blind: at 13 closed before its time"]


def test_a_bid_that_is_accepted_at_the_close_is_noticed() -> None:
    verdict = judged(*BEGIN, *BEATS, (CLOSE, BID, []))
    assert verdict.problems == ["blind: at 14 a bid was accepted at or after the close"]
