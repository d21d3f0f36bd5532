"""The rules of each format in plain words."""

from __future__ import annotations

from . import dutch, japanese, rounds
from .bidding import stepped_down
from .guard import money
from .hybrid import LAST_WORD
from .parameters import Phase, Terms
from .plain_words import Paragraph, Writer, duration, sample_price
from .terms_view import step_text


def english(terms: Terms, phase: Phase) -> Paragraph | None:
    if phase.format != "english":
        return None
    text = (
        f"Bidding is open for {duration(phase.duration_us)}. Everybody bids at any time and as "
        "often as they like. A bid stamped at or after the close is late, without exception."
    )
    example = "Close at 10:20:00: 10:19:59.999999 is in time, 10:20:00.000000 is late."
    return Paragraph("English auction", text, example)


def sealed(terms: Terms, phase: Phase) -> Paragraph | None:
    if phase.format != "sealed":
        return None
    text = (
        f"One bid each, for {duration(phase.duration_us)}. You may replace it or take it back "
        "until the close. Nobody, the buyer included, sees any bid before: they are kept "
        "encrypted. Then all are opened at once."
    )
    if len(terms.phases) > 1:
        text += " A bid of an earlier phase can only be improved."
    return Paragraph("Sealed bids", text, "You send 900, then 870: 870 is opened.")


def in_rounds(terms: Terms, phase: Phase) -> Paragraph | None:
    if phase.format != "rounds":
        return None
    planned = rounds.planned_us(phase, 3)
    text = (
        f"After a pause of {duration(phase.first_pause_us)} there are {phase.rounds} rounds with a "
        f"pause of {duration(phase.pause_us)} between them. In each round everybody has one turn "
        f"of {duration(phase.turn_us)}, from the worst to the best, so the best speaks last; of "
        "equal bids the earlier is better and speaks later; who has no bid speaks first. In your "
        "turn you may change your bid or take it back; at the end of the turn it is published. "
        "During the first pause everybody without a bid may name an initial one, published when it "
        "ends."
    )
    example = f"With three bidders that takes {duration(planned)} if nothing is extended."
    return Paragraph("Rounds", text, example)


def dutch_clock(terms: Terms, phase: Phase) -> Paragraph | None:
    if phase.format != "dutch":
        return None
    text = (
        f"The price starts at {money(terms, phase.start_minor)} and rises by "
        f"{money(terms, phase.increment_minor)} every {duration(phase.interval_us)} up to "
        f"{money(terms, phase.cap_minor)}. The first to accept {_taken(terms)}. "
        "You accept a step by its number; when the step has passed meanwhile, the accept is "
        "refused and binds nobody."
    )
    if len(terms.phases) > 1:
        text += " When nobody accepts, the whole auction ends without a winner."
    last = dutch.steps_count(phase) - 1
    example = f"Step {last} is the last one, at {money(terms, dutch.price_of(phase, last))}."
    return Paragraph("Dutch clock", text, example)


def _taken(terms: Terms) -> str:
    if len(terms.phases) == 1:
        return "wins at the price of that moment"
    return (
        "holds the price of that moment, which ends the clock: every bid of a later phase must be "
        "below it"
    )


def last_word(terms: Terms, phase: Phase) -> Paragraph | None:
    if phase.format != LAST_WORD:
        return None
    text = (
        "Who accepted on the clock bids no more until the others have bid, and then has "
        f"{duration(phase.duration_us)} to answer, if another bidder leads by then. The answer may "
        "be changed or taken back until the end; it must be below the own bid, and it leads where "
        "it is below the best one. Nobody else bids in this time."
    )
    example = "800 was accepted, 780 was bid: the answer 779 wins, 790 does not."
    return Paragraph("Last word", text, example)


def japanese_clock(terms: Terms, phase: Phase) -> Paragraph | None:
    if phase.format != "japanese":
        return None
    text = (
        f"The price starts at {money(terms, phase.start_minor)} and falls by "
        f"{money(terms, phase.decrement_minor)} every {duration(phase.interval_us)}. At each step "
        "you must confirm that you stay in; who does not drops out for good. It ends when one "
        "bidder or none is left, or after the last step down to "
        f"{money(terms, phase.floor_minor)}. You stand at the price of the last step you "
        "confirmed; of equal ones the earlier confirmation ranks first. After an outage the open "
        "step starts anew for all, earlier confirmations of it are void."
    )
    price = money(terms, japanese.price_of(phase, 1))
    example = f"You confirm steps 0 and 1 and not step 2: you stand at {price}."
    return Paragraph("Japanese clock", text, example)


def step(terms: Terms, phase: Phase) -> Paragraph | None:
    if phase.format not in ("english", "rounds"):
        return None
    rule = phase.step
    unit = " %" if rule.kind == "percent" else f" {terms.currency}"
    size = step_text(rule, rule.value, terms.exponent) + unit
    whose = "your own last bid" if rule.against == "own" else "the lead"
    text = f"Each bid must be at least {size} below {whose}."
    if rule.bands:
        bands = ", ".join(
            f"from {money(terms, band.from_minor)} it is "
            f"{step_text(rule, band.value, terms.exponent)}{unit}"
            for band in rule.bands
        )
        text += f" The step depends on the price that is improved: {bands}."
    if rule.against == "lead":
        text += (
            " The price you must beat is shown to everybody, also before the first own bid. Where "
            "more than the price counts, the step is taken off the evaluated price of the lead."
        )
    base = sample_price(terms)
    limit = money(terms, max(1, int(stepped_down(rule, base))))
    return Paragraph("Step", text, f"After {money(terms, base)} at most {limit} is accepted.")


def buffers(terms: Terms, phase: Phase) -> Paragraph | None:
    rule = phase.step
    if phase.format not in ("english", "rounds") or not (rule.front_buffer or rule.back_buffer):
        return None
    lead = sample_price(terms)
    front, back = money(terms, max(1, rule.front_buffer)), money(terms, rule.back_buffer)
    text = f"A bid that takes the lead from somebody beats it by at least {front}."
    if rule.back_buffer:
        text += f" A bid that does not stays at least {back} above it."
    below = money(terms, lead - max(1, rule.front_buffer))
    return Paragraph("Buffers", text, f"The lead is {money(terms, lead)}: {below} takes it.")


def overtime(terms: Terms, phase: Phase) -> Paragraph | None:
    rule = phase.overtime
    if phase.format != "english" or rule is None:
        return None
    trigger = "Any bid"
    if rule.trigger_rank is not None:
        trigger = f"A bid that changes who is on rank {rule.trigger_rank} or better"
    counted = "the planned close" if rule.counted_from == "close" else "the moment of the bid"
    most = "as often as that happens" if rule.limit is None else f"at most {rule.limit} times"
    text = (
        f"{trigger} in the last {duration(rule.window_us)} moves the close to "
        f"{duration(rule.extend_us)} after {counted}, {most}."
    )
    example = "A bid one second before the close leaves everybody time to answer."
    return Paragraph("Overtime", text, example)


def automatic(terms: Terms, phase: Phase) -> Paragraph | None:
    if phase.format != "english" or not terms.shows_lead or terms.lines:
        return None
    text = (
        "You may set a private limit: whenever you do not lead, the highest price that takes the "
        "lead is bid for you, never below the limit. A limit that cannot take the lead is refused "
        "at once. Two limits meet at once: the weaker one is bid in full, the stronger one just "
        "beats it. Of equal limits, or limits closer than the step, the stronger or earlier one is "
        "bid in full and leads; just before, the lowest price that leaves room for that bid is bid "
        "for the other, so that both have a bid that stands. While the auction runs nobody sees a "
        "limit, the buyer included; after the close it stands in the buyer's log, so that each bid "
        "made for you can be checked. A withdrawal of your bid ends it."
    )
    example = (
        "Step 10 against the lead. Limits 800 and 700: 800 is bid, then 790 leads. Limits 700 and "
        "700: 710 is bid, then the earlier 700 leads."
    )
    return Paragraph("Automatic bidding", text, example)


OF_PHASE: list[Writer] = [
    english,
    sealed,
    in_rounds,
    dutch_clock,
    japanese_clock,
    last_word,
    step,
    buffers,
    overtime,
    automatic,
]
