/* What a price is worth with one's answers, exact, as the rules compute it (auctions/rules/scoring.py).

     coefficient     = 1 + sum of values / (1 - sum of maxima)
     evaluated price = price / coefficient + sum of costs                                              */

import type { Scoring } from "./messages";
import { minorOf, parseMinor } from "./money";

export interface Fraction {
  num: bigint;
  den: bigint;
}

/** `coefficient` above zero and `costs` in minor units. */
export interface Worth {
  coefficient: Fraction;
  costs: bigint;
}

export type Answers = Record<string, string>;

const PLACES = 6;
const ONE = 1_000_000n;

/** Which answers a bid of this auction needs. */
export function asked(scoring: Scoring | undefined): string[] {
  const features = (scoring?.features ?? []).filter((feature) => feature.source !== "rating");
  return [...features, ...(scoring?.costs ?? [])].map((question) => question.id);
}

/** Null while an answer is missing, or where a rating counts that this page does not know. */
export function worthOf(scoring: Scoring | undefined, answers: Answers, exponent: number): Worth | null {
  const features = scoring?.features ?? [];
  if (features.some((feature) => feature.source === "rating")) return null;
  let [values, maxima, costs] = [0n, 0n, 0n];
  for (const feature of features) {
    const option = feature.options?.find((each) => each.id === answers[feature.id]);
    if (!option) return null;
    values += parseMinor(option.value, PLACES) ?? 0n;
    maxima += parseMinor(feature.max, PLACES) ?? 0n;
  }
  for (const cost of scoring?.costs ?? []) {
    const amount = minorOf(answers[cost.id], exponent);
    if (amount === null || amount < 0n) return null;
    costs += amount;
  }
  return { coefficient: reduced(ONE - maxima + values, ONE - maxima), costs };
}

/** The evaluated price in minor units, rounded half-even as it is shown everywhere. */
export function evaluated(worth: Worth, price: bigint): bigint {
  const { num, den } = worth.coefficient;
  return halfEven(price * den, num) + worth.costs;
}

/** `"20/17"` or `"1"`; null when it is no fraction above zero. */
export function readFraction(text: string | null | undefined): Fraction | null {
  const match = /^(\d+)(?:\/(\d+))?$/.exec(text ?? "");
  if (!match) return null;
  const [num, den] = [BigInt(match[1]!), BigInt(match[2] ?? "1")];
  return num > 0n && den > 0n ? { num, den } : null;
}

export function fractionText({ num, den }: Fraction): string {
  return den === 1n ? num.toString() : `${num}/${den}`;
}

function reduced(num: bigint, den: bigint): Fraction {
  const common = gcd(num, den);
  return { num: num / common, den: den / common };
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b);
}

function halfEven(num: bigint, den: bigint): bigint {
  const [whole, rest] = [num / den, (num % den) * 2n];
  if (rest < den) return whole;
  return rest > den || whole % 2n === 1n ? whole + 1n : whole;
}
