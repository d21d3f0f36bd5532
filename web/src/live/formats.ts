/* Where an auction of any format is: its phases and the stages of rounds. Pure. */

import { instantMs } from "./clock";
import type { PhaseRules, Stage, Terms } from "./messages";

type Place = { terms: Terms; stage: Stage };

/** A plain auction has one phase, a hybrid several. */
export function phasesOf(terms: Terms): PhaseRules[] {
  const rules = terms.rules;
  if (rules?.format === "phases" && rules.phases?.length) return rules.phases;
  return [rules ?? {}];
}

export function phaseNow({ terms, stage }: Place): PhaseRules {
  const phases = phasesOf(terms);
  return phases[Math.min(stage.phase ?? 0, phases.length - 1)]!;
}

/** Steps count from 0 on the wire and from 1 for people. */
export function stepNumber(step: number | null | undefined): number {
  return (step ?? 0) + 1;
}

/**
 * How many take turns in this round. It follows from the close, because that is planned as
 * all turns, pauses and the announcement to come; null where later phases or an extension hide it.
 */
export function turnsCount({ terms, stage, closeAtMs }: Place & { closeAtMs: number | null }): number | null {
  const phases = phasesOf(terms);
  const phase = phaseNow({ terms, stage });
  const endsAtMs = instantMs(stage.ends_at);
  const lengthS = phase.turn_s ?? 0;
  const inRound = stage.round !== undefined && phase.rounds !== undefined && (stage.phase ?? 0) === phases.length - 1;
  if (!inRound || closeAtMs === null || Number.isNaN(endsAtMs) || lengthS <= 0) return null;
  const roundsLeft = (phase.rounds ?? 0) - stage.round!;
  const otherS = roundsLeft * (phase.pause_s ?? 0) + (phase.announce_s ?? 0);
  const count = ((closeAtMs - endsAtMs) / 1_000 - otherS + (stage.turn ?? 0) * lengthS) / (lengthS * (roundsLeft + 1));
  const whole = Math.round(count);
  return Math.abs(count - whole) < 0.001 && whole >= (stage.turn ?? 0) ? whole : null;
}

export interface Part {
  kind: "pause" | "turn";
  turn: number;
  lengthS: number;
  when: "past" | "now" | "later";
}

/** The stages of one round, in order; without turns when their number is not known. */
export function roundParts(phase: PhaseRules, number: number, turns: number | null, stage: Stage): Part[] {
  const nowAt = stage.round === undefined ? Infinity : stage.round * 1_000 + (stage.turn ?? 0);
  const when = (turn: number): Part["when"] => {
    const at = number * 1_000 + turn;
    return at < nowAt ? "past" : at === nowAt ? "now" : "later";
  };
  const pauseS = (number === 1 ? phase.first_pause_s : phase.pause_s) ?? 0;
  const pause: Part = { kind: "pause", turn: 0, lengthS: pauseS, when: when(0) };
  const parts = Array.from({ length: turns ?? 0 }, (_, index): Part => ({ kind: "turn", turn: index + 1, lengthS: phase.turn_s ?? 0, when: when(index + 1) }));
  return [pause, ...parts];
}
