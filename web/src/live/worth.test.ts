import { expect, test } from "vitest";
import type { Scoring } from "./messages";
import { asked, evaluated, fractionText, readFraction, worthOf } from "./worth";

const MIXED: Scoring = {
  kind: "mixed",
  features: [{ id: "warranty", max: "0.15", options: [{ id: "3y", value: "0.10" }, { id: "5y", value: "0.15" }] }],
  costs: [{ id: "energy" }],
};

test("the coefficient is an exact fraction and the evaluated price rounds half to even", () => {
  const worth = worthOf(MIXED, { warranty: "5y", energy: "10.00" }, 2)!;
  expect(fractionText(worth.coefficient)).toBe("20/17");
  expect(evaluated(worth, 50_000n)).toBe(42_500n + 1_000n);
  const halves = { coefficient: { num: 2n, den: 1n }, costs: 0n };
  expect([evaluated(halves, 1n), evaluated(halves, 3n), evaluated(halves, 5n)]).toEqual([0n, 2n, 2n]);
});

test("a missing answer, a wrong cost or an unknown rating say nothing", () => {
  expect(worthOf(MIXED, { warranty: "5y" }, 2)).toBeNull();
  expect(worthOf(MIXED, { warranty: "5y", energy: "-1.00" }, 2)).toBeNull();
  const rated: Scoring = { kind: "meat", features: [{ id: "rating", max: "0.05", source: "rating" }] };
  expect(worthOf(rated, {}, 2)).toBeNull();
  expect([asked(rated), asked(MIXED)]).toEqual([[], ["warranty", "energy"]]);
});

test("fractions of the wire", () => {
  expect(readFraction("20/17")).toEqual({ num: 20n, den: 17n });
  expect(readFraction("1")).toEqual({ num: 1n, den: 1n });
  expect([readFraction("0"), readFraction("a/b"), readFraction(null)]).toEqual([null, null, null]);
});
