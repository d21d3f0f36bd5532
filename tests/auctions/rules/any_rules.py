"""Rules of any kind, for the state machine."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

ALIASES = ["a", "b", "c", "d"]

FEATURE = {
    "id": "warranty",
    "max": "0.15",
    "options": [
        {"id": "none", "value": "0"},
        {"id": "3y", "value": "0.1"},
        {"id": "5y", "value": "0.15"},
    ],
}
RATED = {"id": "rating", "max": "0.1", "source": "rating"}
SCORINGS: list[dict[str, Any]] = [
    {"kind": "price"},
    {"kind": "meat", "features": [FEATURE, RATED]},
    {"kind": "lcc", "costs": [{"id": "energy"}]},
    {"kind": "mixed", "features": [FEATURE], "costs": [{"id": "energy"}]},
]


@st.composite
def steps(draw: st.DrawFn, *, lead: bool) -> dict[str, Any]:
    kind = draw(st.sampled_from(["amount", "percent"]))
    step: dict[str, Any] = {"kind": kind, "value": draw(st.sampled_from(["0.01", "0.50", "3.00"]))}
    if draw(st.booleans()):
        step["bands"] = [{"from": "5.00", "value": "0.75"}, {"from": "8.00", "value": "1.25"}]
    if lead:
        step["against"] = draw(st.sampled_from(["own", "lead"]))
        step["front_buffer"] = draw(st.sampled_from(["0", "0.05", "1.00"]))
        step["back_buffer"] = draw(st.sampled_from(["0", "0.03"]))
    return step


@st.composite
def english_rules(draw: st.DrawFn) -> dict[str, Any]:
    visibility = draw(st.sampled_from(["blind", "rank", "rank_and_lead", "all"]))
    shows_lead = visibility in ("rank_and_lead", "all")
    ties = ["allowed"] if visibility == "blind" else ["allowed", "forbid_all", "forbid_lead"]
    overtime = {
        "window_s": draw(st.sampled_from([5, 30])),
        "extend_s": draw(st.sampled_from([3, 20])),
        "trigger_rank": draw(st.sampled_from([None, 1, 2])),
        "from": draw(st.sampled_from(["close", "bid"])),
        "max": draw(st.sampled_from([None, 2])),
    }
    return {
        "duration_s": 30,
        "visibility": visibility,
        "ties": draw(st.sampled_from(ties)),
        "tie_rank": draw(st.sampled_from(["order", "best", "worst"])),
        "step": draw(steps(lead=shows_lead)),
        "overtime": draw(st.sampled_from([None, overtime])),
        "scoring": draw(st.sampled_from(SCORINGS)),
        "typo_guard_percent": draw(st.sampled_from([None, "30"])),
        "ceiling": draw(st.sampled_from([None, "10.00"])),
    }


ROUNDS = {"format": "rounds", "rounds": 2, "turn_s": 5, "first_pause_s": 6, "pause_s": 2}
SEALED = {"format": "sealed", "duration_s": 12}
DUTCH = {"format": "dutch", "start": "4.00", "increment": "0.75", "interval_s": 4, "cap": "9.00"}
LAST_WORD = {"format": "last_word", "duration_s": 10}
JAPANESE = {"format": "japanese", "start": "9.00", "decrement": "0.75", "interval_s": 4}


def hybrids(rounds: dict[str, Any], english: dict[str, Any]) -> list[list[dict[str, Any]]]:
    return [
        [SEALED, english],
        [SEALED, rounds],
        [english, SEALED],
        [JAPANESE, SEALED],
        [DUTCH, SEALED, LAST_WORD],
        [DUTCH, SEALED, LAST_WORD],
        [DUTCH, english, LAST_WORD],
        [DUTCH, rounds],
        [rounds, english],
    ]


@st.composite
def other_rules(draw: st.DrawFn) -> dict[str, Any]:
    clock = draw(st.sampled_from([DUTCH, JAPANESE]))
    rounds = ROUNDS | {"step": draw(steps(lead=False)), "announce_s": draw(st.sampled_from([0, 3]))}
    english = {"format": "english", "duration_s": 20, "step": draw(steps(lead=False))}
    hybrid = draw(st.sampled_from(hybrids(rounds, english)))
    rules = draw(st.sampled_from([rounds, SEALED, clock, {"format": "phases", "phases": hybrid}]))
    on_a_clock = clock is rules or rules.get("phases", [{}])[0] in (DUTCH, JAPANESE)
    return rules | {
        "visibility": draw(st.sampled_from(["blind", "rank", "rank_and_lead", "all"])),
        "tie_rank": draw(st.sampled_from(["order", "best", "worst"])),
        "scoring": SCORINGS[0] if on_a_clock else draw(st.sampled_from(SCORINGS)),
        "ceiling": draw(st.sampled_from(["10.00", "12.00"])),
    }


aliases = st.sampled_from(ALIASES)
prices = st.integers(1, 1_300).map(lambda minor: f"{minor // 100}.{minor % 100:02d}")
