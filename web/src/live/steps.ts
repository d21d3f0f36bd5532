/* The three prices one tap away: all legal, the first exactly at the limit. */

import { minorOf, parseMinor } from "./money";

export interface StepRule {
  kind: "amount" | "percent";
  value: string;
  bands?: { from: string; value: string }[];
}

const HUNDRED_PERCENT = 10n ** 8n;

/** One step at `price`, in minor units, at least 1; a percent is rounded up, as the rules do. */
export function stepAt(rule: StepRule | undefined, price: bigint, exponent: number): bigint {
  if (!rule) return atLeastOne(percentOf(price, "0.5"));
  const value = bandValue(rule, price, exponent);
  const step = rule.kind === "percent" ? percentOf(price, value) : (minorOf(value, exponent) ?? 0n);
  return step > 0n ? step : atLeastOne(percentOf(price, "0.5"));
}

/** Three falling prices from the limit on; fewer when they would reach zero. */
export function legalSteps(max: bigint | null, rule: StepRule | undefined, exponent: number): bigint[] {
  if (max === null || max <= 0n) return [];
  const step = stepAt(rule, max, exponent);
  return [max, max - step, max - 3n * step].filter((price) => price > 0n);
}

function bandValue(rule: StepRule, price: bigint, exponent: number): string {
  let value = rule.value;
  for (const band of rule.bands ?? []) {
    const from = minorOf(band.from, exponent);
    if (from !== null && price >= from) value = band.value;
  }
  return value;
}

function percentOf(price: bigint, percent: string): bigint {
  const scaled = parseMinor(percent, 6);
  if (scaled === null || scaled <= 0n) return 0n;
  return (price * scaled + HUNDRED_PERCENT - 1n) / HUNDRED_PERCENT;
}

function atLeastOne(step: bigint): bigint {
  return step > 0n ? step : 1n;
}
