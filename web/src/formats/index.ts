/* The formats by name: every file of this folder that is one. */

import type { PhaseRules } from "../live/messages";
import type { Format } from "./format";
import { PLAIN } from "./plain";

const FILES = import.meta.glob<Format>(["./*.ts", "!./index.ts", "!./format.ts", "!./plain.ts", "!./*.test.ts"], { eager: true, import: "default" });

export const FORMATS: Record<string, Format> = Object.fromEntries(Object.values(FILES).map((format) => [format.name, format]));
const DEFAULT = Object.values(FORMATS).find((format) => format.isDefault)!;

/** The format of a phase; of one that this page does not know, the plain one. */
export function formatOf(phase: PhaseRules): Format {
  return FORMATS[phase.format ?? DEFAULT.name] ?? PLAIN;
}

/** Whether the price moves by itself and is only accepted. */
export function isClock(phase: PhaseRules): boolean {
  return formatOf(phase).clock !== null;
}

/** How many prices the clock can show; null when the rules do not say. */
export function stepsCount(phase: PhaseRules, exponent: number): number | null {
  return formatOf(phase).clock?.stepsCount(phase, exponent) ?? null;
}

/** The price of a step, counted from 0, in minor units; null after the last one. */
export function priceOfStep(phase: PhaseRules, step: number, exponent: number): bigint | null {
  const count = stepsCount(phase, exponent);
  return count === null || step >= count ? null : formatOf(phase).clock!.priceOf(phase, step, exponent);
}
