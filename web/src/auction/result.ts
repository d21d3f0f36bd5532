/* How it ended, for the buyer: the winner by name, what it saves, and the papers. */

import type { Room } from "../live/room";
import { _ } from "../texts";
import { element, money, shown, write } from "./page";
import { nameOf } from "./standing";
import { worthText } from "./worth-text";

export function drawResult(room: Room): void {
  element("result-panel").hidden = room.state !== "closed";
  if (room.state !== "closed") return;
  const winner = room.standing.find((row) => row.rank === 1);
  write("result-title", winner ? _("%(name)s is first with %(price)s", { name: nameOf(winner, room), price: shown(winner.price) }) : _("It ended without a bid"));
  const worth = winner?.coefficient && winner.coefficient !== "1" ? worthText(winner.coefficient, money.minor(winner.evaluated)) : "";
  write("result-text", winner ? [worth, _("%(count)s bidders stand in the ranking.", { count: room.standing.length })].filter(Boolean).join(" · ") : _("Nothing is to be awarded."));
}
