/* The supplier's side: a huge rank or price, one confirming tap, and the answer at once. */

import { formatOf, isClock } from "../formats";
import { phaseNow } from "../live/formats";
import type { LiveClient } from "../live/client";
import type { Ack, HintFrame } from "../live/messages";
import { type BidDrawer, type PendingBid, sortPending } from "../live/pending";
import type { Room } from "../live/room";
import { slipOf } from "../live/slip";
import { _ } from "../texts";
import { AnswersForm } from "./answers";
import { OTHER, askEither } from "./ask";
import { Automatic } from "./automatic";
import { ClockPad } from "./clock-pad";
import { Hints } from "./hints";
import { LinesForm } from "./lines";
import { Pad } from "./pad";
import { announce, data, element, fit, make, money, shown, write } from "./page";
import { Receipts } from "./receipts";
import { refusal } from "./refusals";
import { standstill } from "./standstill";
import { StepPad } from "./step-pad";

export class SupplierView {
  private rank: number | null | undefined;
  private lastRoom: Room | null = null;
  private live = false;
  private readonly receipts: Receipts;
  private readonly pad = new Pad();
  private readonly answers = new AnswersForm();
  private readonly lines: LinesForm;
  private readonly steps: StepPad;
  private readonly clock: ClockPad;
  private readonly automatic: Automatic;
  private readonly hints: Hints;

  constructor(
    private readonly client: LiveClient,
    private readonly drawer: BidDrawer,
  ) {
    this.steps = new StepPad(this.pad, this.answers, (minor) => this.place(money.wire(minor)));
    this.lines = new LinesForm((total) => this.steps.total(total));
    if (this.lines.isAsked) this.steps.takeTotals();
    this.clock = new ClockPad(this.pad, (step, price) => this.client.order({ type: "accept", step }, price));
    this.automatic = new Automatic((limit) => this.client.order({ type: "auto", limit }, limit));
    this.hints = new Hints(
      (id, rank) => this.client.hint(id, rank),
      (price) => this.steps.fill(price),
      (text) => this.steps.say(text, true),
    );
    this.answers.onChange = () => this.lastRoom && this.draw(this.lastRoom);
    element("kept-back").addEventListener("click", () => this.client.order({ type: "bid", price: null }, null));
    this.receipts = new Receipts(drawer);
  }

  draw(room: Room): void {
    this.lastRoom = room;
    if (room.known) this.receipts.noteBest(room.you.best);
    this.drawRank(room);
    this.drawFigures(room);
    this.answers.draw(room);
    this.lines.draw(room);
    this.automatic.draw(room);
    this.hints.draw(room);
    const phase = phaseNow(room);
    const still = room.known ? standstill(room, phase) : null;
    const open = room.state === "open" && still === null && data.may_act && this.live;
    if (still) {
      write("over-title", still[0]);
      write("over-text", still[1]);
    }
    this.pad.show(still ? "over" : isClock(phase) ? "clock" : "steps");
    this.steps.draw(room, open);
    this.clock.draw(room, open && isClock(phase));
    this.drawKept(room, open);
  }

  answered(ack: Ack, bid: PendingBid | null, room: Room): void {
    this.receipts.draw();
    this.clock.answered();
    if (ack.outcome === "accepted") {
      if (bid?.order.type === "bid") this.answers.accepted(bid.order.attributes);
      return this.say("good", `${acceptedText(bid, ack, room)} ${_("Receipt no. %(seq)s.", { seq: ack.seq })}`);
    }
    this.say("bad", refusal(ack, bid?.price ?? ""));
    if (ack.code === "confirm_required" && bid) void this.confirmTypo(ack, bid);
  }

  /** What is on the screen is current, or it is not: then nothing can be bid on it. */
  line(live: boolean): void {
    if (live === this.live) return;
    this.live = live;
    if (this.lastRoom) this.draw(this.lastRoom);
    if (!live) this.drawPending();
  }

  /** Somebody was faster: the good news of the last bid is old. */
  fellBack(): void {
    if (element("bid-answer").dataset.tone === "good") this.say("none", "\u00a0");
  }

  hinted(frame: HintFrame): void {
    this.hints.answered(frame);
  }

  /** The bid never reached the auction. */
  notTaken(detail: string, bid: PendingBid): void {
    this.clock.answered();
    this.say("bad", _("%(what)s was not sent: %(reason)s", { what: wordFor(bid), reason: detail }));
  }

  /** Bids that have no answer yet: the fresh ones travel by themselves, the old ones ask. */
  drawPending(): void {
    const { resend, ask: old } = sortPending(this.drawer.pending(), Date.now());
    const newest = resend.at(-1);
    if (newest) this.say("wait", this.live ? _("Sending %(what)s …", { what: wordFor(newest) }) : _("%(what)s has no answer yet. It is sent again when the connection is back, and counts once.", { what: wordFor(newest) }));
    element("waiting-panel").hidden = old.length === 0;
    element("waiting").replaceChildren(...old.map((bid) => this.oldBid(bid)));
  }

  private place(price: string): void {
    const { attributes } = this.answers;
    const { lines } = this.lines;
    this.client.order({ type: "bid", price, ...(attributes ? { attributes } : {}), ...(lines ? { lines } : {}) }, price);
  }

  private drawRank(room: Room): void {
    const rank = room.you.rank ?? null;
    const box = element("rank");
    const isSealed = formatOf(phaseNow(room)).isSealed && (room.state === "open" || room.state === "paused");
    box.dataset.place = isSealed && room.you.pending ? "kept" : rank === null ? "none" : rank === 1 ? "first" : "behind";
    const number = element("rank-number");
    write("rank-number", rank === null ? "–" : String(rank));
    number.toggleAttribute("data-wide", rank !== null && rank > 9);
    write("rank-word", rankWord(rank, room, isSealed));
    if (this.rank !== undefined && rank !== null && this.rank !== rank) {
      box.classList.remove("bump");
      void box.offsetWidth;
      box.classList.add("bump");
      announce(rank === 1 ? _("You lead.") : _("You are now at rank %(rank)s.", { rank }));
    }
    this.rank = rank;
  }

  private drawFigures(room: Room): void {
    fit("own-best", shown(room.you.best));
    write("own-label", room.you.pending ? _("Your bid, not yet published") : _("Your best bid"));
    const first = room.standing.find((row) => row.rank === 1);
    fit("lead-price", shown(first?.price ?? first?.evaluated));
    write("lead-label", this.answers.isScored ? _("Best evaluated price") : _("Best price"));
    const shows = room.terms.rules?.visibility;
    element("lead-figure").hidden = shows === "rank" || shows === "blind";
    fit("max-price", room.state === "closed" || room.state === "cancelled" ? "–" : shown(room.maxPrice));
  }

  /** What was named but is not published yet: sealed, or in the own turn. */
  private drawKept(room: Room, open: boolean): void {
    const texts = formatOf(phaseNow(room)).kept?.(shown(room.you.best));
    element("kept").hidden = !texts;
    const kept = room.you.pending === true;
    if (texts) write("kept-text", texts[kept ? 0 : 1]);
    element<HTMLButtonElement>("kept-back").disabled = !kept || !open;
  }

  private say(tone: "good" | "bad" | "wait" | "none", text: string): void {
    element("bid-answer").dataset.tone = tone;
    write("bid-answer", text);
  }

  private async confirmTypo(ack: Ack, bid: PendingBid): Promise<void> {
    if (bid.order.type !== "bid") return;
    const price = money.minor(bid.price);
    const [text, meant] = this.doubt(ack, price);
    const answer = await askEither({
      title: _("Is this price right?"),
      text,
      yes: _("Yes, bid %(price)s", { price: shown(bid.price) }),
      ...(meant === null ? { price: shown(bid.price) } : { other: _("No, %(price)s", { price: money.full(meant) }) }),
    });
    // What was meant is read and confirmed like any other price.
    if (answer === OTHER && meant !== null) return this.steps.propose(meant);
    if (answer === null) return this.say("wait", _("Not sent. Your former bid stands."));
    const confirm = ack.confirm ?? ack.token;
    this.client.order({ ...bid.order, ...(confirm ? { confirm } : {}) }, bid.price);
  }

  /** Why the price looks like a slip, in words, and what was probably meant. */
  private doubt(ack: Ack, price: bigint | null): [text: string, meant: bigint | null] {
    const room = this.lastRoom;
    const lead = money.minor(room?.standing.find((row) => row.rank === 1)?.price);
    const max = money.minor(room?.maxPrice) ?? money.minor(room?.terms.ceiling);
    const slip = price === null || this.answers.isScored ? null : slipOf(price, lead ?? max, max);
    if (slip === null || price === null) return [ack.detail ?? _("It is far below the lowest price so far. A bid is binding."), null];
    const values = { price: money.full(price), percent: slip.percent };
    const text = lead === null ? _("%(price)s is %(percent)s % below what you may bid.", values) : _("%(price)s is %(percent)s % below the best price.", values);
    const question = slip.meant === null ? _("A bid is binding.") : _("Did you mean %(price)s?", { price: money.full(slip.meant) });
    return [`${text} ${question}`, slip.meant];
  }

  private oldBid(bid: PendingBid): HTMLElement {
    const line = make("li");
    const at = new Date(bid.sentAtMs).toLocaleTimeString(document.documentElement.lang);
    line.append(make("span", "", _("%(what)s, sent at %(time)s, was never answered.", { what: wordFor(bid), time: at })));
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

/** What was sent, in words: the price, or what else it was. */
function wordFor({ order, price }: PendingBid): string {
  if (order.type === "auto") return price === null ? _("The end of automatic bidding") : _("The automatic limit %(price)s", { price: shown(price) });
  return price === null ? _("Taking back") : shown(price);
}

function acceptedText(bid: PendingBid | null, ack: Ack, room: Room): string {
  const price = shown(bid?.price);
  const { clock, isSealed } = formatOf(phaseNow(room));
  if (bid?.order.type === "auto") return bid.price === null ? _("Automatic bidding is off.") : _("Automatic bidding is on, down to %(price)s.", { price });
  if (bid?.order.type === "accept" && room.terms.rules?.format === "phases" && clock?.firstEnds !== false) return _("You accepted %(price)s. The others must bid below it.", { price });
  if (bid?.order.type === "accept") return clock?.firstEnds ? _("You accepted %(price)s and won.", { price }) : _("You are in at %(price)s.", { price });
  if (bid?.price === null) return _("Your bid is taken back.");
  if (isSealed) return _("%(price)s is sealed.", { price });
  const rank = ack.rank ?? (room.you.pending ? null : room.you.rank);
  const where = rank == null ? "" : ` ${_("Rank %(rank)s.", { rank })}`;
  const worth = ack.evaluated != null && ack.evaluated !== bid?.price ? ` ${_("Evaluated %(price)s.", { price: shown(ack.evaluated) })}` : "";
  return `${_("%(price)s is in.", { price })}${worth}${where}`;
}

function rankWord(rank: number | null, room: Room, isSealed: boolean): string {
  if (!room.known) return "\u00a0";
  if (room.state === "closed") return rank === null ? _("No bid") : rank === 1 ? _("You finished first") : _("Final rank");
  if (isSealed) return room.you.pending ? _("Your bid is sealed") : _("Ranks come with the opening");
  if (rank === 1) return _("You lead");
  if (rank !== null) return _("Not leading");
  if (room.you.pending) return _("Not published yet");
  if (room.you.best != null) return _("Rank is hidden");
  const may = room.state === "open" && standstill(room, phaseNow(room)) === null;
  return may ? _("Place your first bid") : _("No bid yet");
}
