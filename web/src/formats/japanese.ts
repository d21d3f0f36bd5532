/* Japanese: the price falls; who does not confirm a step drops out. */

import { stepNumber } from "../live/formats";
import type { PhaseRules } from "../live/messages";
import { minorOf } from "../live/money";
import type { Room } from "../live/room";
import { _ } from "../texts";
import type { Format, Lines, Words } from "./format";
import { PLAIN, waitsForLastWord } from "./plain";

const japanese: Format = {
  ...PLAIN,
  name: "japanese",
  hasOwnClock: true,
  clock: { firstEnds: false, stepsCount, priceOf },
  label: () => _("Falling price"),
  before: () => _("The price will fall from"),
  title: () => _("The price falls"),
  standstill: (room, words) => waitsForLastWord(room) ?? dropped(room, words),
  stillIn: (count, known) => _("%(count)s of %(known)s still in", { count, known }),
};

/** The last step stays above the floor. */
function stepsCount(phase: PhaseRules, exponent: number): number | null {
  const [start, floor, move] = [minorOf(phase.start, exponent), minorOf(phase.floor, exponent), minorOf(phase.decrement, exponent)];
  if (start === null || floor === null || move === null || move <= 0n) return null;
  return Number((start - floor) / move) + 1;
}

function priceOf(phase: PhaseRules, step: number, exponent: number): bigint {
  return minorOf(phase.start, exponent)! - BigInt(step) * minorOf(phase.decrement, exponent)!;
}

function dropped(room: Room, { shown }: Words): Lines | null {
  const { you, stage } = room;
  const late = (stage.step ?? 0) > 0 && you.best == null && !you.pending;
  if (you.dropped_at == null && !late) return null;
  const text = you.best == null ? _("You did not confirm the first step.") : _("Your last confirmed price stands: %(price)s.", { price: shown(you.best) });
  return [_("You dropped out at step %(step)s", { step: stepNumber(you.dropped_at) }), text];
}

export default japanese;
