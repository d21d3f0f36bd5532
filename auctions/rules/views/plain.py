"""The terms of an auction in plain words: the one source of its terms page and of the bidding
guide. What a format adds stands in its own file.
"""

from __future__ import annotations

from fractions import Fraction

from auctions.rules.core.abnormal import MEAN_PERCENT, NEXT_PERCENT
from auctions.rules.core.guard import money
from auctions.rules.core.parameters import HYBRID, PPM, Terms
from auctions.rules.core.scoring import Scale, coefficient, evaluate
from auctions.rules.formats import FORMATS
from auctions.rules.parts.fields import plain
from auctions.rules.parts.words import SOURCE, Paragraph, Texts, duration, sample_price
from auctions.rules.versions import format_of
from marketplace.kernel.clock import rfc3339
from marketplace.kernel.money import round_half_even


def explain(terms: Terms, texts: Texts = SOURCE) -> list[Paragraph]:
    """Every rule that applies to an auction with these terms, in the order in which one needs
    them, in the language of `texts`.
    """
    paragraphs = [paragraph for writer in GENERAL if (paragraph := writer(terms, texts))]
    for phase in terms.phases:
        paragraphs += format_of(terms, phase).explain(terms, phase, texts)
    return paragraphs + [paragraph for writer in ALWAYS if (paragraph := writer(terms, texts))]


def gists(texts: Texts = SOURCE) -> dict[str, str]:
    """Name and gist of each kind of auction, `Name: what happens`, as rules name them."""
    alone = {name: each.gist(texts) for name, each in FORMATS.items() if each.stands_alone}
    return alone | {HYBRID: texts.gettext("Several phases")}


def start(terms: Terms, texts: Texts) -> Paragraph:
    _ = texts.gettext
    phrases = [format_of(terms, phase).phrase(texts) for phase in terms.phases]
    text = _("It is %(formats)s and starts at %(time)s (UTC).") % {
        "formats": _(" then ").join(phrases),
        "time": rfc3339(terms.starts_at_us),
    }
    example = _("A bid one microsecond earlier is refused and names both times.")
    return Paragraph(_("Start"), text, example)


def time(terms: Terms, texts: Texts) -> Paragraph:
    _ = texts.gettext
    text = _(
        "Time is that of the server: each command is stamped when it is put in order, and the "
        "stamp alone decides what was in time."
    )
    example = _("Your clock shows 12:00:01 and ours 11:59:59: your bid counts as one of 11:59:59.")
    return Paragraph(_("Time"), text, example)


def ceiling(terms: Terms, texts: Texts) -> Paragraph | None:
    if terms.ceiling_minor is None:
        return None
    _ = texts.gettext
    top = {"top": money(terms, terms.ceiling_minor)}
    above = money(terms, terms.ceiling_minor + 1)
    text = _("No bid may be above %(top)s. The ceiling itself is allowed.") % top
    example = _("%(top)s is accepted, %(above)s is refused.") % (top | {"above": above})
    return Paragraph(_("Ceiling"), text, example)


def scoring(terms: Terms, texts: Texts) -> Paragraph:
    _ = texts.gettext
    if terms.scoring.kind != "price":
        text = f"{_scored(terms, texts)} {_criteria(terms, texts)}"
        return Paragraph(_("What wins"), text, _scored_example(terms, texts))
    text = _(
        "The lowest price wins. If the buyer gave you a bonus or malus, it is taken off or put on "
        "your price before prices are compared; you see your evaluated price beside your price."
    )
    worth = _exact(Scale(keep_ppm=PPM - 20_000), sample_price(terms))
    example = _("With a bonus of 2 %%, %(price)s compares as %(worth)s.") % {
        "price": money(terms, sample_price(terms)),
        "worth": money(terms, round_half_even(worth)),
    }
    return Paragraph(_("What wins"), text, example)


def _scored(terms: Terms, texts: Texts) -> str:
    _ = texts.gettext
    return {
        "meat": _(
            "The lowest evaluated price wins: price / coefficient, where coefficient = 1 + sum of "
            "your values / (1 - sum of the maxima). You always see price, coefficient and "
            "evaluated price."
        ),
        "lcc": _(
            "The lowest evaluated price wins: your price plus the costs over the life you state."
        ),
        "mixed": _(
            "The lowest evaluated price wins: price / coefficient plus the costs you state, where "
            "coefficient = 1 + sum of your values / (1 - sum of the maxima)."
        ),
    }[terms.scoring.kind]


def _criteria(terms: Terms, texts: Texts) -> str:
    _ = texts.gettext
    parts = []
    for feature in terms.scoring.features:
        values = {"title": feature.title, "most": plain(feature.max_ppm, 6)}
        if feature.source == "rating":
            text = _(
                "%(title)s: up to %(most)s, your rating / 100 of it "
                "(not rated yet counts as %(unrated)s)"
            )
            parts.append(text % (values | {"unrated": plain_rating(feature.unrated)}))
        else:
            options = ", ".join(f"{o.title} {plain(o.value_ppm, 6)}" for o in feature.options)
            text = _("%(title)s: up to %(most)s (%(options)s)")
            parts.append(text % (values | {"options": options}))
    stated = _("%(title)s: an amount you state")
    parts += [stated % {"title": cost.title} for cost in terms.scoring.costs]
    return _("Asked here: %(criteria)s.") % {"criteria": "; ".join(parts)}


def plain_rating(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scored_example(terms: Terms, texts: Texts) -> str:
    """The best answer to every feature, and costs of a tenth of the price."""
    _ = texts.gettext
    price = sample_price(terms)
    maxima = [_share(feature.max_ppm) for feature in terms.scoring.features]
    worth = coefficient(maxima, maxima)
    costs = price // 10 if terms.scoring.costs else 0
    scale = Scale(worth.numerator, worth.denominator, PPM, 0, costs)
    values = {
        "price": money(terms, price),
        "coefficient": worth,
        "costs": money(terms, costs),
        "evaluated": money(terms, round_half_even(_exact(scale, price))),
    }
    if costs:
        return (
            _(
                "%(price)s with coefficient %(coefficient)s and costs of %(costs)s is evaluated as "
                "%(evaluated)s."
            )
            % values
        )
    return _("%(price)s with coefficient %(coefficient)s is evaluated as %(evaluated)s.") % values


def _exact(scale: Scale, price: int) -> Fraction:
    return Fraction(evaluate(scale, price))


def _share(ppm: int) -> Fraction:
    return Fraction(ppm, PPM)


def visibility(terms: Terms, texts: Texts) -> Paragraph:
    _ = texts.gettext
    sees, example = {
        "blind": (
            _("You see your own bid only."),
            _("You know that your bid stands, not where."),
        ),
        "rank": (_("You see your own bid and its rank."), _("You read: rank 2.")),
        "rank_and_lead": (
            _("You see your own rank and the best price."),
            _("You read: rank 2, and which price is best."),
        ),
        "all": (
            _("You see all bids and their ranks."),
            _("You read the whole list, with invented names."),
        ),
    }[terms.visibility]
    parts = [sees]
    if terms.shows_lead:
        parts.append(_("Others become visible once a bid of your own was accepted."))
    parts.append(
        _("Bidders have random names that say nothing about who they are or how they started.")
    )
    if terms.names_after_close:
        parts.append(_named(terms, texts))
    return Paragraph(_("What you see"), " ".join(parts), example)


def _named(terms: Terms, texts: Texts) -> str:
    _ = texts.gettext
    if terms.visibility == "all":
        return _("After the close everybody who has bid sees the real names beside the bids.")
    return _(
        "After the close everybody who has bid sees the final ranking with the real names; prices "
        "stay as hidden as they were."
    )


def ties(terms: Terms, texts: Texts) -> Paragraph | None:
    if _clocks_only(terms):
        return None
    _ = texts.gettext
    price = {"price": money(terms, sample_price(terms))}
    text = {
        "allowed": _("Equal bids are allowed; the earlier one ranks first."),
        "forbid_all": _("A bid that equals another bidder's evaluated price is refused."),
        "forbid_lead": _("A bid that equals the lead is refused; other equal bids are allowed."),
    }[terms.ties]
    example = {
        "order": _("Two bidders at %(price)s: the earlier one leads, they read 1 and 2."),
        "best": _("Two bidders at %(price)s: the earlier one leads, both read 1."),
        "worst": _("Two bidders at %(price)s: the earlier one leads, both read 2."),
    }[terms.tie_rank]
    if terms.ties != "allowed":
        example = _("Somebody leads with %(price)s: the same is refused, one cent less is not.")
    return Paragraph(_("Equal bids"), text, example % price)


def _clocks_only(terms: Terms) -> bool:
    """Whether nobody ever names a price."""
    return all(format_of(terms, phase).is_clock for phase in terms.phases)


def guard(terms: Terms, texts: Texts) -> Paragraph | None:
    if terms.typo_guard_ppm is None or _clocks_only(terms):
        return None
    _ = texts.gettext
    price = sample_price(terms)
    text = _(
        "A price more than %(percent)s %% below the lowest price you know (the ceiling, your own "
        "bid, the lead where it is shown) is not accepted at once: you are asked to send it again "
        "with a confirmation. Slipped decimal points and unit prices instead of totals are named."
    ) % {"percent": plain(terms.typo_guard_ppm, 4)}
    example = _("%(doubtful)s instead of %(price)s: confirm.") % {
        "doubtful": money(terms, max(1, price // 10)),
        "price": money(terms, price),
    }
    return Paragraph(_("Slips of the finger"), text, example)


def rating(terms: Terms, texts: Texts) -> Paragraph | None:
    if terms.min_rating is None:
        return None
    _ = texts.gettext
    lowest = {"lowest": plain_rating(terms.min_rating)}
    text = _(
        "Suppliers rated below %(lowest)s are not admitted. Not rated yet is not a low rating."
    )
    example = _("%(lowest)s is admitted, anything below is not.")
    return Paragraph(_("Rating"), text % lowest, example % lowest)


def lines(terms: Terms, texts: Texts) -> Paragraph | None:
    if not terms.lines:
        return None
    _ = texts.gettext
    text = _(
        "Each bid names the total of every line (%(names)s); none is below zero, and together they "
        "are the price."
    ) % {"names": ", ".join(line.title for line in terms.lines)}
    return Paragraph(_("Lines"), text, _("600.00 and 300.00 belong to a price of 900.00."))


def interruptions(terms: Terms, texts: Texts) -> Paragraph:
    _ = texts.gettext
    least = {"least": duration(terms.min_resume_us, texts)}
    text = _(
        "The buyer may pause, resume, extend or cancel, always with a reason that all see; a pause "
        "takes no time away. When our servers fail, the auction waits: nothing closes while nobody "
        "can bid, and afterwards there is at least the time that was left and never less than "
        "%(least)s."
    )
    example = _("Servers fail 20 seconds before the close: it goes on with %(least)s.")
    return Paragraph(_("Pauses and outages"), text % least, example % least)


def withdrawals(terms: Terms, texts: Texts) -> Paragraph:
    _ = texts.gettext
    text = _(
        "A bid binds. Only the buyer can strike one out, with a reason that all see without a "
        "name; then your bid before it stands again. The buyer may enter a bid for you on your "
        "written request. Bids %(mean)s %% below the mean of the others' first prices or %(next)s "
        "%% below the next price are flagged to the buyer, who may ask you to explain them. The "
        "buyer may also send a message, which reaches everybody at once."
    ) % {"mean": MEAN_PERCENT, "next": NEXT_PERCENT}
    example = _("900, then 90 by mistake: the buyer strikes 90 out and you stand at 900.")
    return Paragraph(_("Withdrawals and flags"), text, example)


def receipts(terms: Terms, texts: Texts) -> Paragraph:
    _ = texts.gettext
    text = _(
        "Each command, accepted or refused, is answered with a signed receipt once it is stored "
        "for good. The same message sent twice with the same id counts once. Its number counts "
        "everything in the auction, our heartbeats too: it tells that something was sent, not by "
        "whom or what. After the close anybody who took part can check the log offline: the whole "
        "chain, and every word of it that they may see."
    )
    example = _("Your connection breaks after a bid: send it again with the same id, safely.")
    return Paragraph(_("Receipts"), text, example)


GENERAL = (start, time, ceiling, scoring, visibility, ties, guard, rating, lines)
ALWAYS = (interruptions, withdrawals, receipts)
