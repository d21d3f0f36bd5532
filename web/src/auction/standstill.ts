/* Why nothing can be bid at the moment, in two lines; null while something can. */

import { isClock, stepNumber } from "../live/formats";
import { instantMs } from "../live/clock";
import type { PhaseRules } from "../live/messages";
import type { Room } from "../live/room";
import { _ } from "../texts";
import { shown } from "./page";

type Lines = [title: string, text: string];

export function standstill(room: Room, phase: PhaseRules): Lines | null {
  if (room.state === "scheduled") return [_("Not open yet"), isClock(phase) ? _("The button appears here the moment it opens.") : _("The steps appear here the moment it opens.")];
  if (room.state === "paused") return [_("Paused"), _("Bids count again when it goes on.")];
  if (room.state === "cancelled") return [_("The auction was cancelled"), room.reason ?? ""];
  if (room.state === "closed") return ended(room, phase);
  if (phase.format === "rounds") return waiting(room);
  if (room.you.last_word) return [_("You have the last word"), _("The others bid below your price now; then you may answer.")];
  if (phase.format === "last_word" && !room.you.turn) return [_("The bids are in"), _("The bidder who accepted on the clock may answer now.")];
  return phase.format === "japanese" ? dropped(room) : null;
}

function ended(room: Room, phase: PhaseRules): Lines {
  const best = shown(room.you.best);
  const { rank } = room.you;
  if (room.you.best == null) return phase.format === "dutch" ? missed(room) : [_("The auction is closed"), _("You placed no bid.")];
  if (rank == null) return [_("The auction is closed"), _("Your last bid: %(price)s. The buyer decides on the award.", { price: best })];
  if (rank === 1) return [_("You finished first with %(price)s", { price: best }), _("The buyer decides on the award and will contact you.")];
  return [_("You finished at rank %(rank)s with %(price)s", { rank, price: best }), _("The buyer decides on the award.")];
}

/** A rising price stops before the end of its step only because somebody accepted it. */
function missed(room: Room): Lines {
  const endsAtMs = instantMs(room.stage.ends_at);
  const early = room.closeAtMs !== null && !Number.isNaN(endsAtMs) && room.closeAtMs < endsAtMs;
  if (room.stage.taken || early) return [_("Another bidder was first"), _("Step %(step)s was accepted at %(price)s.", { step: stepNumber(room.stage.step), price: shown(room.stage.price) })];
  return [_("The auction is closed"), _("Nobody accepted a price.")];
}

function waiting(room: Room): Lines | null {
  const { stage, you } = room;
  const first = stage.name === "pause" && stage.round === 1;
  if (you.turn || (first && (you.best == null || you.pending))) return null;
  if (first) return [_("Your first bid stands"), _("The turns begin after this pause.")];
  if (stage.name === "before_announcement") return [_("All turns are over"), _("The result is announced in a moment.")];
  return [_("Wait for your turn"), _("This box opens when it comes, and says so.")];
}

function dropped(room: Room): Lines | null {
  const { you, stage } = room;
  const late = (stage.step ?? 0) > 0 && you.best == null && !you.pending;
  if (you.dropped_at == null && !late) return null;
  const text = you.best == null ? _("You did not confirm the first step.") : _("Your last confirmed price stands: %(price)s.", { price: shown(you.best) });
  return [_("You dropped out at step %(step)s", { step: stepNumber(you.dropped_at) }), text];
}
