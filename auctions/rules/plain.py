"""The terms of an auction in plain words: the one source of its terms page and of the bidding "
"guide."""

from __future__ import annotations

from fractions import Fraction

from marketplace.kernel.clock import rfc3339
from marketplace.kernel.money import round_half_even

from .abnormal import MEAN_PERCENT, NEXT_PERCENT
from .guard import money
from .parameters import PPM, Phase, Terms
from .plain_phases import OF_PHASE
from .plain_words import Paragraph, Writer, duration, sample_price
from .scoring import Scale, coefficient, evaluate
from .terms_view import plain


def explain(terms: Terms) -> list[Paragraph]:
    """Every rule that applies to an auction with these terms, in the order in which one needs "
    "them."""
    paragraphs = [paragraph for writer in GENERAL if (paragraph := writer(terms, terms.phases[0]))]
    for phase in terms.phases:
        paragraphs += [paragraph for writer in OF_PHASE if (paragraph := writer(terms, phase))]
    closing = [paragraph for writer in ALWAYS if (paragraph := writer(terms, terms.phases[0]))]
    return [*paragraphs, *closing]


def start(terms: Terms, phase: Phase) -> Paragraph:
    formats = " then ".join(_NAMES[each.format] for each in terms.phases)
    text = f"It is {formats} and starts at {rfc3339(terms.starts_at_us)} (UTC)."
    example = "A bid one microsecond earlier is refused and names both times."
    return Paragraph("Start", text, example)


def time(terms: Terms, phase: Phase) -> Paragraph:
    text = (
        "Time is that of the server: each command is stamped when it is put in order, and the "
        "stamp alone decides what was in time."
    )
    example = "Your clock shows 12:00:01 and ours 11:59:59: your bid counts as one of 11:59:59."
    return Paragraph("Time", text, example)


def ceiling(terms: Terms, phase: Phase) -> Paragraph | None:
    if terms.ceiling_minor is None:
        return None
    top = money(terms, terms.ceiling_minor)
    above = money(terms, terms.ceiling_minor + 1)
    text = f"No bid may be above {top}. The ceiling itself is allowed."
    return Paragraph("Ceiling", text, f"{top} is accepted, {above} is refused.")


def scoring(terms: Terms, phase: Phase) -> Paragraph:
    kind = terms.scoring.kind
    if kind == "price":
        text = (
            "The lowest price wins. If the buyer gave you a bonus or malus, it is taken off or put "
            "on your price before prices are compared; you see your evaluated price beside your "
            "price."
        )
        worth = money(
            terms, round_half_even(_exact(Scale(keep_ppm=PPM - 20_000), sample_price(terms)))
        )
        price = money(terms, sample_price(terms))
        return Paragraph("What wins", text, f"With a bonus of 2 %, {price} compares as {worth}.")
    return Paragraph("What wins", _SCORED[kind] + _criteria(terms), _scored_example(terms))


def _criteria(terms: Terms) -> str:
    parts = []
    for feature in terms.scoring.features:
        most = plain(feature.max_ppm, 6)
        if feature.source == "rating":
            parts.append(
                f"{feature.title}: up to {most}, your rating / 100 of it "
                f"(not rated yet counts as {plain_rating(feature.unrated)})"
            )
        else:
            options = ", ".join(f"{o.title} {plain(o.value_ppm, 6)}" for o in feature.options)
            parts.append(f"{feature.title}: up to {most} ({options})")
    parts += [f"{cost.title}: an amount you state" for cost in terms.scoring.costs]
    return " Asked here: " + "; ".join(parts) + "."


def plain_rating(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scored_example(terms: Terms) -> str:
    """The best answer to every feature, and costs of a tenth of the price."""
    price = sample_price(terms)
    maxima = [_share(feature.max_ppm) for feature in terms.scoring.features]
    worth = coefficient(maxima, maxima)
    costs = price // 10 if terms.scoring.costs else 0
    scale = Scale(worth.numerator, worth.denominator, PPM, 0, costs)
    shown = money(terms, round_half_even(_exact(scale, price)))
    named = f" and costs of {money(terms, costs)}" if costs else ""
    return f"{money(terms, price)} with coefficient {worth}{named} is evaluated as {shown}."


def _exact(scale: Scale, price: int) -> Fraction:
    return Fraction(evaluate(scale, price))


def _share(ppm: int) -> Fraction:
    return Fraction(ppm, PPM)


def visibility(terms: Terms, phase: Phase) -> Paragraph:
    text = _VISIBLE[terms.visibility]
    if terms.shows_lead:
        text += " Others become visible once a bid of your own was accepted."
    text += " Bidders have random names that say nothing about who they are or how they started."
    if terms.names_after_close:
        text += _NAMED["all" if terms.visibility == "all" else "rank"]
    return Paragraph("What you see", text, _VISIBLE_EXAMPLE[terms.visibility])


def ties(terms: Terms, phase: Phase) -> Paragraph | None:
    if terms.clocks_only:
        return None
    shown = {
        "order": "they read 1 and 2",
        "best": "both read 1",
        "worst": "both read 2",
    }[terms.tie_rank]
    price = money(terms, sample_price(terms))
    text = {
        "allowed": "Equal bids are allowed; the earlier one ranks first.",
        "forbid_all": "A bid that equals another bidder's evaluated price is refused.",
        "forbid_lead": "A bid that equals the lead is refused; other equal bids are allowed.",
    }[terms.ties]
    example = f"Two bidders at {price}: the earlier one leads, {shown}."
    if terms.ties != "allowed":
        example = f"Somebody leads with {price}: the same is refused, one cent less is not."
    return Paragraph("Equal bids", text, example)


def guard(terms: Terms, phase: Phase) -> Paragraph | None:
    if terms.typo_guard_ppm is None or terms.clocks_only:
        return None
    percent = plain(terms.typo_guard_ppm, 4)
    price = sample_price(terms)
    text = (
        f"A price more than {percent} % below the lowest price you know (the ceiling, your own "
        "bid, the lead where it is shown) is not accepted at once: you are asked to send it again "
        "with a confirmation. Slipped decimal points and unit prices instead of totals are named."
    )
    doubtful = money(terms, max(1, price // 10))
    return Paragraph(
        "Slips of the finger", text, f"{doubtful} instead of {money(terms, price)}: confirm."
    )


def rating(terms: Terms, phase: Phase) -> Paragraph | None:
    if terms.min_rating is None:
        return None
    lowest = plain_rating(terms.min_rating)
    text = f"Suppliers rated below {lowest} are not admitted. Not rated yet is not a low rating."
    return Paragraph("Rating", text, f"{lowest} is admitted, anything below is not.")


def lines(terms: Terms, phase: Phase) -> Paragraph | None:
    if not terms.lines:
        return None
    names = ", ".join(line.title for line in terms.lines)
    text = (
        f"Each bid names the total of every line ({names}); none is below zero, and together they "
        "are the price."
    )
    return Paragraph("Lines", text, "600.00 and 300.00 belong to a price of 900.00.")


def interruptions(terms: Terms, phase: Phase) -> Paragraph:
    least = duration(terms.min_resume_us)
    text = (
        "The buyer may pause, resume, extend or cancel, always with a reason that all see; a pause "
        "takes no time away. When our servers fail, the auction waits: nothing closes while nobody "
        "can bid, and afterwards there is at least the time that was left and never less than "
        f"{least}."
    )
    example = f"Servers fail 20 seconds before the close: it goes on with {least}."
    return Paragraph("Pauses and outages", text, example)


def withdrawals(terms: Terms, phase: Phase) -> Paragraph:
    text = (
        "A bid binds. Only the buyer can strike one out, with a reason that all see without a "
        "name; then your bid before it stands again. The buyer may enter a bid for you on your "
        f"written request. Bids {MEAN_PERCENT} % below the mean of the others' first prices or "
        f"{NEXT_PERCENT} % below the next price are flagged to the buyer, who may ask you to "
        "explain them. The buyer may also send a message, which reaches everybody at once."
    )
    example = "900, then 90 by mistake: the buyer strikes 90 out and you stand at 900."
    return Paragraph("Withdrawals and flags", text, example)


def receipts(terms: Terms, phase: Phase) -> Paragraph:
    text = (
        "Each command, accepted or refused, is answered with a signed receipt once it is stored "
        "for good. The same message sent twice with the same id counts once. Its number "
        "counts everything in the auction, our heartbeats too: it tells that something was sent, "
        "not by whom or what. After the close anybody who took part can check the log offline: the "
        "whole chain, and every word of it that they may see."
    )
    example = "Your connection breaks after a bid: send it again with the same id, safely."
    return Paragraph("Receipts", text, example)


_NAMES = {
    "english": "an English auction",
    "rounds": "an auction in rounds",
    "sealed": "a round of sealed bids",
    "dutch": "a Dutch clock",
    "japanese": "a Japanese clock",
    "last_word": "a last word",
}
_SCORED = {
    "meat": (
        "The lowest evaluated price wins: price / coefficient, where coefficient = 1 + sum of your "
        "values / (1 - sum of the maxima). You always see price, coefficient and evaluated price."
    ),
    "lcc": "The lowest evaluated price wins: your price plus the costs over the life you state.",
    "mixed": (
        "The lowest evaluated price wins: price / coefficient plus the costs you state, where "
        "coefficient = 1 + sum of your values / (1 - sum of the maxima)."
    ),
}
_VISIBLE = {
    "blind": "You see your own bid only.",
    "rank": "You see your own bid and its rank.",
    "rank_and_lead": "You see your own rank and the best price.",
    "all": "You see all bids and their ranks.",
}
_NAMED = {
    "all": " After the close everybody who has bid sees the real names beside the bids.",
    "rank": (
        " After the close everybody who has bid sees the final ranking with the real names; prices "
        "stay as hidden as they were."
    ),
}
_VISIBLE_EXAMPLE = {
    "blind": "You know that your bid stands, not where.",
    "rank": "You read: rank 2.",
    "rank_and_lead": "You read: rank 2, and which price is best.",
    "all": "You read the whole list, with invented names.",
}

GENERAL: list[Writer] = [start, time, ceiling, scoring, visibility, ties, guard, rating, lines]
ALWAYS: list[Writer] = [interruptions, withdrawals, receipts]
