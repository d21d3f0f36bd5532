"""Overtime as rules: read, shown, in plain words, and short enough for practice."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from auctions.rules.core.parameters import Overtime

from .fields import DURATION_S_MAX, Section
from .words import SECOND_US, Paragraph, Texts, duration, seconds

RANK_MAX = 1_000
PRACTICE_US_MAX = 20 * SECOND_US
PRACTICE_EXTENSIONS_MAX = 5


def read_overtime(parent: Section) -> Overtime:
    section = parent.section("overtime")
    window_us = section.seconds("window_s", 1, DURATION_S_MAX, 120)
    overtime = Overtime(
        window_us=window_us,
        extend_us=section.seconds("extend_s", 1, DURATION_S_MAX, 120),
        trigger_rank=section.whole("trigger_rank", 1, RANK_MAX, None),
        counted_from=cast(Any, section.choice("from", ("close", "bid"), "close")),
        limit=section.whole("max", 1, 1_000_000, None),
    )
    section.done()
    duration_us = parent.seconds("duration_s", 1, DURATION_S_MAX, 1_200)
    if window_us > duration_us and not section.is_wrong("window_s"):
        section.wrong("window_s", "impossible", "The window is longer than the auction.")
    return overtime


def show_overtime(overtime: Overtime) -> dict[str, Any]:
    """The `overtime` of the rules that `read_overtime` would read as this one."""
    return {
        "window_s": seconds(overtime.window_us),
        "extend_s": seconds(overtime.extend_us),
        "trigger_rank": overtime.trigger_rank,
        "from": overtime.counted_from,
        "max": overtime.limit,
    }


def overtime_words(rule: Overtime | None, texts: Texts) -> list[Paragraph]:
    if rule is None:
        return []
    _ = texts.gettext
    trigger = _("Any bid")
    if rule.trigger_rank is not None:
        template = _("A bid that changes who is on rank %(rank)s or better")
        trigger = template % {"rank": rule.trigger_rank}
    most = _("as often as that happens")
    if rule.limit is not None:
        most = _("at most %(count)s times") % {"count": rule.limit}
    counted = {"close": _("the planned close"), "bid": _("the moment of the bid")}
    text = _(
        "%(trigger)s in the last %(window)s moves the close to %(extend)s after %(counted)s, "
        "%(most)s."
    ) % {
        "trigger": trigger,
        "window": duration(rule.window_us, texts),
        "extend": duration(rule.extend_us, texts),
        "counted": counted[rule.counted_from],
        "most": most,
    }
    example = _("A bid one second before the close leaves everybody time to answer.")
    return [Paragraph(_("Overtime"), text, example)]


def shortened_overtime(overtime: Overtime | None) -> Overtime | None:
    """The same for an auction of minutes."""
    if overtime is None:
        return None
    limit = PRACTICE_EXTENSIONS_MAX
    return msgspec.structs.replace(
        overtime,
        window_us=min(overtime.window_us, PRACTICE_US_MAX),
        extend_us=min(overtime.extend_us, PRACTICE_US_MAX),
        limit=limit if overtime.limit is None else min(overtime.limit, limit),
    )
