/* Rounds: turns from worst to best, again and again. */

import { phaseNow, turnsCount } from "../live/formats";
import type { Room } from "../live/room";
import { _ } from "../texts";
import type { Format, Lines, Words } from "./format";
import { PLAIN } from "./plain";

const rounds: Format = {
  ...PLAIN,
  name: "rounds",
  hasOwnClock: true,
  tellsPriceForRank: true,
  label: () => _("Rounds"),
  title,
  note,
  kept: (price) => [
    _("Your bid of this turn: %(price)s. It is published at the end of the turn.", { price }),
    _("Your bid of this turn is published at its end; until then you may change it."),
  ],
  standstill: waiting,
};

function title(room: Room, { nameOf }: Words): string {
  const { stage } = room;
  if (stage.name === "before_announcement") return _("All turns are over");
  if (stage.name === "pause") return stage.round === 1 ? _("Initial bids") : _("Pause before round %(round)s", { round: stage.round ?? 1 });
  if (room.you.turn) return _("Your turn");
  const turns = turnsCount(room);
  const who = stage.alias ? nameOf(stage.alias) : _("another bidder");
  return turns === null ? _("Turn %(turn)s: %(who)s", { turn: stage.turn ?? 1, who }) : _("Turn %(turn)s of %(turns)s: %(who)s", { turn: stage.turn ?? 1, turns, who });
}

function note(room: Room): string {
  if (room.state === "scheduled" || room.state === "closed") return "";
  if (room.stage.name === "before_announcement") return _("The result is announced in a moment.");
  if (room.you.turn) return _("Your bid of this turn is published at its end. You may change it until then.");
  if (room.stage.name !== "pause") return _("The turns go from worst to best; the best speaks last.");
  if (room.stage.round === 1) return _("Everyone may name a first price; all are published when this pause ends.");
  return ownTurnNote(room);
}

/** In a pause the order of the coming round is known already: from worst to best. */
function ownTurnNote(room: Room): string {
  const [turns, rank] = [turnsCount(room), room.you.rank];
  const shared = (room.terms.rules?.tie_rank ?? "order") !== "order";
  if (turns === null || rank == null || shared) return _("The turns go from worst to best; the best speaks last.");
  const turn = turns - rank + 1;
  return _("You speak in turn %(turn)s of %(turns)s, %(seconds)s s after the pause.", { turn, turns, seconds: (turn - 1) * (phaseNow(room).turn_s ?? 0) });
}

function waiting(room: Room): Lines | null {
  const { stage, you } = room;
  const first = stage.name === "pause" && stage.round === 1;
  if (you.turn || (first && (you.best == null || you.pending))) return null;
  if (first) return [_("Your first bid stands"), _("The turns begin after this pause.")];
  if (stage.name === "before_announcement") return [_("All turns are over"), _("The result is announced in a moment.")];
  return [_("Wait for your turn"), _("This box opens when it comes, and says so.")];
}

export default rounds;
