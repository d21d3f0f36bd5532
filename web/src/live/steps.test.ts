import { expect, test } from "vitest";
import { legalSteps, stepAt } from "./steps";

test("the first step is exactly the limit, the others fall by whole steps", () => {
  expect(legalSteps(100_000n, { kind: "amount", value: "50.00" }, 2)).toEqual([100_000n, 95_000n, 85_000n]);
});

test("a percent is taken of the limit and rounded up", () => {
  expect(stepAt({ kind: "percent", value: "0.5" }, 33_333n, 2)).toBe(167n);
});

test("the band the price lies in gives the step", () => {
  const rule = { kind: "amount" as const, value: "10.00", bands: [{ from: "1000.00", value: "200.00" }] };
  expect(stepAt(rule, 99_999n, 2)).toBe(1_000n);
  expect(stepAt(rule, 100_000n, 2)).toBe(20_000n);
});

test("no limit, no steps; no rule, half a percent; never at or below zero", () => {
  expect(legalSteps(null, undefined, 2)).toEqual([]);
  expect(legalSteps(10_000n, undefined, 2)).toEqual([10_000n, 9_950n, 9_850n]);
  expect(legalSteps(2n, { kind: "amount", value: "0.01" }, 2)).toEqual([2n, 1n]);
});
