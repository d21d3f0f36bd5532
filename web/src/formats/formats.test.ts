import { expect, test } from "vitest";
import type { PhaseRules, Stage } from "../live/messages";
import type { Room } from "../live/room";
import { FORMATS, formatOf } from "./index";

const WORDS = { shown: (price: string | null | undefined) => `${price}`, nameOf: (alias: string) => alias };

function room(rules: PhaseRules, stage: Partial<Stage>, you: object = {}): Room {
  return { known: true, state: "open", terms: { currency: "EUR", rules }, stage: { name: "turn", ...stage }, you, standing: [], closeAtMs: null } as unknown as Room;
}

test("every file of the folder is a format with a name of its own", () => {
  expect(Object.keys(FORMATS).length).toBeGreaterThanOrEqual(6);
  for (const [name, format] of Object.entries(FORMATS)) {
    expect(format.name).toBe(name);
    expect(format.label()).not.toBe("");
    expect(format.before()).not.toBe("");
  }
});

test("in rounds a bidder waits for the own turn, and reads whose it is", () => {
  const rules = { format: "rounds", rounds: 2, turn_s: 6 };
  const rounds = formatOf(rules);
  const theirs = room(rules, { round: 1, turn: 2, alias: "Calm Otter" }, { best: "900.00" });
  expect(rounds.title(theirs, WORDS)).toBe("Turn 2: Calm Otter");
  expect(rounds.standstill(theirs, WORDS)![0]).toBe("Wait for your turn");
  const own = room(rules, { round: 1, turn: 2 }, { turn: true });
  expect([rounds.title(own, WORDS), rounds.standstill(own, WORDS)]).toEqual(["Your turn", null]);
  const first = room(rules, { name: "pause", round: 1 }, {});
  expect([rounds.title(first, WORDS), rounds.standstill(first, WORDS)]).toEqual(["Initial bids", null]);
});

test("on a falling price who is silent drops out; on a rising one somebody else is first", () => {
  const falling = formatOf({ format: "japanese" });
  const out = room({ format: "japanese" }, { step: 3 }, { dropped_at: 2, best: "800.00" });
  expect(falling.standstill(out, WORDS)).toEqual(["You dropped out at step 3", "Your last confirmed price stands: 800.00."]);
  const rising = formatOf({ format: "dutch" });
  const missed = room({ format: "dutch" }, { step: 1, price: "120.00", taken: true });
  expect(rising.missed(missed, WORDS)).toEqual(["Another bidder was first", "Step 2 was accepted at 120.00."]);
});

test("who accepted on the clock waits, then answers alone", () => {
  const sealed = room({ format: "sealed" }, { name: "sealed" }, { last_word: true });
  expect(formatOf({ format: "sealed" }).standstill(sealed, WORDS)![0]).toBe("You have the last word");
  const lastWord = formatOf({ format: "last_word" });
  expect(lastWord.standstill(room({ format: "last_word" }, {}, {}), WORDS)![0]).toBe("The bids are in");
  expect(lastWord.standstill(room({ format: "last_word" }, {}, { turn: true }), WORDS)).toBeNull();
});
