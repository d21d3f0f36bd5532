/* Why nothing can be bid at the moment, in two lines; null while something can. */

import { formatOf, isClock } from "../formats";
import type { Lines } from "../formats/format";
import type { PhaseRules } from "../live/messages";
import type { Room } from "../live/room";
import { _ } from "../texts";
import { shown } from "./page";
import { wordsFor } from "./standing";

export function standstill(room: Room, phase: PhaseRules): Lines | null {
  if (room.state === "scheduled") return [_("Not open yet"), isClock(phase) ? _("The button appears here the moment it opens.") : _("The steps appear here the moment it opens.")];
  if (room.state === "paused") return [_("Paused"), _("Bids count again when it goes on.")];
  if (room.state === "cancelled") return [_("The auction was cancelled"), room.reason ?? ""];
  if (room.state === "closed") return ended(room, phase);
  return formatOf(phase).standstill(room, wordsFor(room));
}

function ended(room: Room, phase: PhaseRules): Lines {
  const best = shown(room.you.best);
  const { rank } = room.you;
  if (room.you.best == null) return formatOf(phase).missed(room, wordsFor(room)) ?? [_("The auction is closed"), _("You placed no bid.")];
  if (rank == null) return [_("The auction is closed"), _("Your last bid: %(price)s. The buyer decides on the award.", { price: best })];
  if (rank === 1) return [_("You finished first with %(price)s", { price: best }), _("The buyer decides on the award and will contact you.")];
  return [_("You finished at rank %(rank)s with %(price)s", { rank, price: best }), _("The buyer decides on the award.")];
}
