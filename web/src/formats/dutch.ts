/* Dutch: the price rises until somebody accepts it. */

import { instantMs } from "../live/clock";
import { stepNumber } from "../live/formats";
import type { PhaseRules } from "../live/messages";
import { minorOf } from "../live/money";
import type { Room } from "../live/room";
import { _ } from "../texts";
import type { Format, Lines, Words } from "./format";
import { PLAIN } from "./plain";

const dutch: Format = {
  ...PLAIN,
  name: "dutch",
  hasOwnClock: true,
  clock: { firstEnds: true, stepsCount, priceOf },
  label: () => _("Rising price"),
  before: () => _("The price will rise from"),
  title: () => _("The price rises"),
  missed,
};

/** The last step is the cap, even between two steps. */
function stepsCount(phase: PhaseRules, exponent: number): number | null {
  const [start, cap, move] = [minorOf(phase.start, exponent), minorOf(phase.cap, exponent), minorOf(phase.increment, exponent)];
  if (start === null || cap === null || move === null || move <= 0n) return null;
  return Number((cap - start + move - 1n) / move) + 1;
}

function priceOf(phase: PhaseRules, step: number, exponent: number): bigint {
  const risen = minorOf(phase.start, exponent)! + BigInt(step) * minorOf(phase.increment, exponent)!;
  const cap = minorOf(phase.cap, exponent)!;
  return risen < cap ? risen : cap;
}

/** A rising price stops before the end of its step only because somebody accepted it. */
function missed(room: Room, { shown }: Words): Lines {
  const endsAtMs = instantMs(room.stage.ends_at);
  const early = room.closeAtMs !== null && !Number.isNaN(endsAtMs) && room.closeAtMs < endsAtMs;
  if (room.stage.taken || early) return [_("Another bidder was first"), _("Step %(step)s was accepted at %(price)s.", { step: stepNumber(room.stage.step), price: shown(room.stage.price) })];
  return [_("The auction is closed"), _("Nobody accepted a price.")];
}

export default dutch;
