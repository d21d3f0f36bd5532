/* Automatic bidding: a private limit, by the rules for everybody; shown only where the rules allow it. */

import { formatOf } from "../formats";
import { phaseNow } from "../live/formats";
import type { Room } from "../live/room";
import { _ } from "../texts";
import { ask } from "./ask";
import { announce, data, element, money, shown, write } from "./page";
import { wrongText } from "./step-pad";

export class Automatic {
  private ceiling: bigint | null = null;
  private wasUsed = false;
  private drawn = "";

  constructor(private readonly set: (limit: string | null) => void) {
    element("auto-form").addEventListener("submit", (submit) => {
      submit.preventDefault();
      void this.wish();
    });
    element("auto-end").addEventListener("click", () => this.set(null));
  }

  draw(room: Room): void {
    const shows = room.terms.rules?.visibility;
    const allowed = formatOf(phaseNow(room)).allowsAutomatic && (shows === "rank_and_lead" || shows === "all") && !room.terms.rules?.lines?.length;
    const over = room.state === "closed" || room.state === "cancelled";
    element("auto-panel").hidden = !allowed || over || !data.may_act;
    const open = room.state === "open" && room.you.admitted !== false;
    for (const id of ["auto-go", "auto-end"]) element<HTMLButtonElement>(id).disabled = !open;
    this.ceiling = money.minor(room.terms.ceiling);
    const limit = room.you.auto ?? null;
    // A limit that could still lead would have: the auction bids for it before anything else happens.
    const rank = room.you.rank ?? null;
    const used = limit !== null && room.state === "open" && rank !== null && rank > 1;
    const drawn = `${limit} ${used} ${rank}`;
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    element("auto-panel").dataset.on = used ? "used" : String(limit !== null);
    element("auto-end").hidden = limit === null;
    write("auto-go", limit === null ? _("Start") : _("Change"));
    write("auto-state", stateText(limit, used));
    element("auto-used").hidden = !used;
    write("auto-used", used ? _("Your limit is used up and you are at rank %(rank)s. Name a lower one, or bid yourself.", { rank }) : "");
    if (used && !this.wasUsed) announce(_("Your automatic limit is used up."));
    this.wasUsed = used;
  }

  private async wish(): Promise<void> {
    const input = element<HTMLInputElement>("auto-limit");
    const typed = money.typed(input.value);
    if (typed.kind === "empty") return this.say(_("Type your lowest price first."));
    if (typed.kind === "ambiguous") return this.say(_("Write the decimals, so that it cannot be misread."));
    if (typed.kind === "wrong") return this.say(wrongText(typed.code));
    if (this.ceiling !== null && typed.minor > this.ceiling) return this.say(_("Too high: at most %(limit)s.", { limit: money.full(this.ceiling) }));
    this.say("");
    const answer = await ask({
      title: _("Bid automatically down to this price?"),
      text: _("Each automatic bid is binding. It goes just as low as it must to lead, never below your limit. Nobody else sees the limit."),
      price: money.full(typed.minor),
      yes: _("Start automatic bidding"),
    });
    if (answer === null) return;
    input.value = "";
    this.set(money.wire(typed.minor));
  }

  private say(text: string): void {
    write("auto-reading", text || "\u00a0");
  }
}

function stateText(limit: string | null, used: boolean): string {
  if (limit === null) return _("Off");
  return used ? _("Used up at %(limit)s", { limit: shown(limit) }) : _("On, down to %(limit)s", { limit: shown(limit) });
}
