import { expect, test } from "vitest";
import { formatOf, priceOfStep, stepsCount } from "../formats";
import { phaseNow, roundParts, turnsCount } from "./formats";
import type { PhaseRules } from "./messages";

const ROUNDS: PhaseRules = { format: "rounds", rounds: 3, turn_s: 6, first_pause_s: 15, pause_s: 8, announce_s: 5 };
const at = (second: number) => new Date(Date.UTC(2026, 11, 1, 10, 0, second)).toISOString();

test("a hybrid is in the phase that its stage names", () => {
  const terms = { currency: "EUR", rules: { format: "phases", phases: [{ format: "sealed" }, { format: "english" }] } };
  expect(phaseNow({ terms, stage: { name: "sealed", phase: 0 } }).format).toBe("sealed");
  expect(phaseNow({ terms, stage: { name: "english", phase: 1 } }).format).toBe("english");
});

test("the last dutch step is the cap, the last japanese one above the floor", () => {
  const up: PhaseRules = { format: "dutch", start: "100.00", increment: "30.00", cap: "150.00" };
  expect([stepsCount(up, 2), priceOfStep(up, 1, 2), priceOfStep(up, 2, 2), priceOfStep(up, 3, 2)]).toEqual([3, 13_000n, 15_000n, null]);
  const down: PhaseRules = { format: "japanese", start: "100.00", decrement: "30.00", floor: "5.00" };
  expect([stepsCount(down, 2), priceOfStep(down, 3, 2), priceOfStep(down, 4, 2)]).toEqual([4, 1_000n, null]);
});

test("the number of turns follows from the close", () => {
  const terms = { currency: "EUR", rules: ROUNDS };
  const planned = 15 + 3 * 4 * 6 + 2 * 8 + 5;
  const closeAtMs = Date.UTC(2026, 11, 1, 10, 0, planned);
  const place = (stage: object) => ({ terms, closeAtMs, stage: { name: "turn", ...stage } });
  expect(turnsCount(place({ name: "pause", round: 1, ends_at: at(15) }))).toBe(4);
  expect(turnsCount(place({ round: 1, turn: 2, ends_at: at(27) }))).toBe(4);
  expect(turnsCount(place({ round: 3, turn: 4, ends_at: at(planned - 5) }))).toBe(4);
  expect(turnsCount({ ...place({ round: 1, turn: 2, ends_at: at(27) }), closeAtMs: closeAtMs + 1_234 })).toBeNull();
});

test("what is over, what is now, what comes", () => {
  const parts = roundParts(ROUNDS, 2, 3, { name: "turn", round: 2, turn: 2 });
  expect(parts.map((part) => part.when)).toEqual(["past", "past", "now", "later"]);
  expect(roundParts(ROUNDS, 1, 3, { name: "before_announcement" }).every((part) => part.when === "past")).toBe(true);
});

test("a format that this page does not know is a plain auction", () => {
  const unknown = formatOf({ format: "candle" });
  expect([unknown.clock, unknown.isSealed, unknown.allowsAutomatic, unknown.label()]).toEqual([null, false, false, ""]);
  expect(formatOf({}).name).toBe("english");
});
