/* The supplier's side: a huge rank, three legal steps, one confirming tap, and the answer at once. */

import type { LiveClient } from "../live/client";
import type { Ack } from "../live/messages";
import { type PendingBid, type BidDrawer, sortPending } from "../live/pending";
import type { Room } from "../live/room";
import { _ } from "../texts";
import { ask } from "./ask";
import { announce, element, make, money, shown, write } from "./page";
import { drawReceipts } from "./receipts";
import { refusal } from "./refusals";
import { StepPad } from "./step-pad";

export class SupplierView {
  private rank: number | null | undefined;
  private readonly pad: StepPad;

  constructor(
    private readonly client: LiveClient,
    private readonly drawer: BidDrawer,
  ) {
    this.pad = new StepPad((minor) => this.place(money.wire(minor)));
    drawReceipts(drawer);
  }

  draw(room: Room): void {
    this.drawRank(room);
    write("own-best", shown(room.you.best));
    const first = room.standing.find((row) => row.rank === 1);
    const lead = first?.price ?? first?.evaluated;
    write("lead-price", shown(lead));
    const shows = room.terms.rules?.visibility;
    element("lead-figure").hidden = shows === "rank" || shows === "blind";
    write("max-price", room.state === "closed" || room.state === "cancelled" ? "–" : shown(room.maxPrice));
    this.pad.draw(room);
  }

  answered(ack: Ack, bid: PendingBid | null, room: Room): void {
    const price = bid?.price ?? "";
    drawReceipts(this.drawer);
    if (ack.outcome === "accepted") {
      const rank = ack.rank ?? room.you.rank;
      const where = rank == null ? "" : ` ${_("Rank %(rank)s.", { rank })}`;
      return this.say("good", `${_("%(price)s is in.", { price: shown(price) })}${where} ${_("Receipt no. %(seq)s.", { seq: ack.seq })}`);
    }
    this.say("bad", refusal(ack, price));
    if (ack.code === "confirm_required" && bid) void this.confirmTypo(ack, bid);
  }

  /** The bid never reached the auction. */
  notTaken(detail: string, bid: PendingBid): void {
    this.say("bad", _("%(price)s was not sent: %(reason)s", { price: shown(bid.price), reason: detail }));
  }

  /** Bids that have no answer yet: the fresh ones travel by themselves, the old ones ask. */
  drawPending(): void {
    const { resend, ask: old } = sortPending(this.drawer.pending(), Date.now());
    const newest = resend.at(-1);
    if (newest) this.say("wait", _("Sending %(price)s …", { price: shown(newest.price) }));
    element("waiting-panel").hidden = old.length === 0;
    element("waiting").replaceChildren(...old.map((bid) => this.oldBid(bid)));
  }

  private place(price: string): void {
    this.client.bid(price);
  }

  private drawRank(room: Room): void {
    const rank = room.you.rank ?? null;
    const box = element("rank");
    box.dataset.place = rank === null ? "none" : rank === 1 ? "first" : "behind";
    const number = element("rank-number");
    write("rank-number", rank === null ? "–" : String(rank));
    number.toggleAttribute("data-wide", rank !== null && rank > 9);
    write("rank-word", rankWord(rank, room));
    if (this.rank !== undefined && rank !== null && this.rank !== rank) {
      box.classList.remove("bump");
      void box.offsetWidth;
      box.classList.add("bump");
      announce(rank === 1 ? _("You lead.") : _("You are now at rank %(rank)s.", { rank }));
    }
    this.rank = rank;
  }

  private say(tone: "good" | "bad" | "wait", text: string): void {
    element("bid-answer").dataset.tone = tone;
    write("bid-answer", text);
  }

  private async confirmTypo(ack: Ack, bid: PendingBid): Promise<void> {
    const answer = await ask({
      title: _("Is this price right?"),
      text: ack.detail ?? _("It is far below the lowest price so far. A bid is binding."),
      price: shown(bid.price),
      yes: _("Yes, bid this price"),
    });
    if (answer === null) return this.say("wait", _("Not sent. Your former bid stands."));
    this.client.bid(bid.price, ack.confirm ?? ack.token ?? undefined);
  }

  private oldBid(bid: PendingBid): HTMLElement {
    const line = make("li");
    const at = new Date(bid.sentAtMs).toLocaleTimeString(document.documentElement.lang);
    line.append(make("span", "", _("%(price)s, sent at %(time)s, was never answered.", { price: shown(bid.price), time: at })));
    const again = make("button", "btn btn-sm", _("Send again"));
    again.addEventListener("click", () => this.client.repeat(bid));
    const away = make("button", "btn btn-sm", _("Discard"));
    away.addEventListener("click", () => {
      this.drawer.drop(bid.cid);
      this.drawPending();
    });
    line.append(again, away);
    return line;
  }
}

function rankWord(rank: number | null, room: Room): string {
  if (!room.known) return "\u00a0";
  if (room.state === "closed") return rank === null ? _("No bid") : rank === 1 ? _("You finished first") : _("Final rank");
  if (rank === 1) return _("You lead");
  if (rank !== null) return _("Not leading");
  if (room.you.best != null) return _("Rank is hidden");
  return room.state === "open" ? _("Place your first bid") : _("No bid yet");
}
