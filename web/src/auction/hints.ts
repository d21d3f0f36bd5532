/* "What must I bid?" One tap on a rank asks the server and fills the price field; nothing is sent as a bid. */

import { formatOf } from "../formats";
import { phaseNow } from "../live/formats";
import type { HintFrame } from "../live/messages";
import type { Room } from "../live/room";
import { _ } from "../texts";
import { data, element, make, money } from "./page";

const RANKS_MAX = 3;

export class Hints {
  private asked: { id: string; rank: number } | null = null;
  private count = 0;
  private ranks = "";

  constructor(
    private readonly question: (id: string, rank: number) => boolean,
    private readonly found: (price: bigint) => void,
    private readonly say: (text: string) => void,
  ) {}

  draw(room: Room): void {
    const ranks = mayAsk(room).join(" ");
    if (ranks === this.ranks) return;
    this.ranks = ranks;
    element("hints").hidden = ranks === "";
    element("hint-ranks").replaceChildren(...(ranks ? ranks.split(" ").map((rank) => this.button(Number(rank))) : []));
  }

  answered(frame: HintFrame): void {
    if (frame.id !== this.asked?.id) return;
    const { rank } = this.asked;
    this.asked = null;
    const price = money.minor(frame.price);
    if (price === null) return this.say(_("No price reaches rank %(rank)s now.", { rank }));
    this.found(price);
  }

  private button(rank: number): HTMLElement {
    const button = make("button", "hint", String(rank));
    button.setAttribute("type", "button");
    button.setAttribute("aria-label", _("What must I bid for rank %(rank)s?", { rank }));
    button.addEventListener("click", () => {
      this.asked = { id: `hint-${++this.count}`, rank };
      if (!this.question(this.asked.id, rank)) this.say(_("Not connected. Try again in a moment."));
    });
    return button;
  }
}

/** Ranks better than the own one whose price the rules do not hide. */
function mayAsk(room: Room): number[] {
  const shows = room.terms.rules?.visibility;
  const { rank } = room.you;
  const known = room.state === "open" && data.may_act && rank != null && rank > 1 && room.you.best != null;
  if (!known || !formatOf(phaseNow(room)).tellsPriceForRank) return [];
  if (shows === "rank_and_lead") return [1];
  if (shows !== "all") return [];
  return Array.from({ length: Math.min(rank - 1, RANKS_MAX) }, (_each, index) => index + 1);
}
