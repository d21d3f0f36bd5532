/* The auction page: the live channel's client on one side, the views on the other. */

import "./styles/auction.css";
import { Alerts } from "./auction/alerts";
import { Band } from "./auction/band";
import { BuyerView } from "./auction/buyer";
import { ClockView } from "./auction/clock-view";
import { drawFeed } from "./auction/feed";
import { announce, data, element, money, write } from "./auction/page";
import { StageView } from "./auction/stage-view";
import { drawStanding } from "./auction/standing";
import { SupplierView } from "./auction/supplier";
import { browserWorld } from "./auction/world";
import { fellBack } from "./live/band";
import { type Connection, LiveClient } from "./live/client";
import { HISTORY_COMMANDS_MAX, eventsIn } from "./live/history";
import type { Ack, ServerFrame } from "./live/messages";
import { BidDrawer, type PendingBid } from "./live/pending";
import { type Room, emptyRoom, fold, withHistory } from "./live/room";
import { _ } from "./texts";

const CLOCK_EVERY_MS = 100;
/** So long before the close the line is asked for signs of life every second. */
const HURRY_MS = 120_000;

class AuctionPage {
  private room: Room = { ...emptyRoom(data.currency), terms: data.terms };
  private readonly clockView = new ClockView();
  private readonly stageView = new StageView();
  private readonly client: LiveClient;
  private readonly drawer = new BidDrawer(localStorage, `auction:${data.auction_id}:${data.user_id}`);
  private readonly supplier: SupplierView | null;
  private readonly buyer: BuyerView | null;
  private readonly alerts = new Alerts();
  private readonly band = new Band(this.alerts);
  private live = false;
  private drawing = false;
  private recalled = false;

  constructor() {
    this.client = new LiveClient(browserWorld(`/api/v1/auctions/${data.auction_id}/live`), this.drawer, {
      onConnection: (connection) => this.connected(connection),
      onFrame: (frame) => this.take(frame),
      onAck: (ack, bid) => this.answered(ack, bid),
      onNotTaken: (error, bid) => this.supplier?.notTaken(error.detail, bid),
      onPending: () => this.supplier?.drawPending(),
    });
    this.supplier = data.view === "supplier" ? new SupplierView(this.client, this.drawer) : null;
    this.buyer = data.view === "buyer" ? new BuyerView() : null;
    window.addEventListener("offline", () => this.client.offline());
    window.addEventListener("online", () => this.client.wake());
    window.addEventListener("pageshow", (show) => show.persisted && this.client.wake());
    document.addEventListener("visibilitychange", () => (document.hidden ? this.drawNow() : this.client.wake()));
  }

  run(): void {
    this.supplier?.drawPending();
    this.client.start();
    setInterval(() => this.tick(), CLOCK_EVERY_MS);
  }

  private tick(): void {
    // The clock never shows a state that the rest of the page does not show yet.
    if (this.drawing) return;
    const nowMs = this.client.nowMs();
    this.clockView.draw(this.room, nowMs, this.client.clock.uncertaintyMs);
    this.stageView.tick(this.room, nowMs);
    this.band.tick(this.room, this.live, nowMs);
    this.client.hurry(this.room.state === "open" && this.room.closeAtMs !== null && this.room.closeAtMs - nowMs < HURRY_MS);
  }

  private take(frame: ServerFrame): void {
    const before = this.room;
    this.room = fold(before, frame);
    const [was, is] = [before.closeAtMs, this.room.closeAtMs];
    if (before.state === "open" && this.room.state === "open" && was !== null && is !== null && is > was) {
      this.clockView.extended(was, is);
      this.alerts.extended();
    }
    this.band.moved(before, this.room);
    if (fellBack(before, this.room)) this.supplier?.fellBack();
    if (frame.type === "snapshot") void this.recall(frame.seq);
    if (before.known && before.state !== this.room.state) this.stateChanged();
    if (frame.type === "event" && frame.kind === "message") announce(_("The buyer says: %(text)s", { text: String(frame.text ?? "") }));
    if (frame.type === "hint") this.supplier?.hinted(frame);
    if (frame.type === "error") this.banner("bad", _("The server did not understand this page"), frame.detail);
    this.drawSoon();
  }

  /** Once, after the first snapshot: what happened before this page was opened. */
  private async recall(upToSeq: number): Promise<void> {
    if (this.recalled || upToSeq === 0 || upToSeq > HISTORY_COMMANDS_MAX) return;
    this.recalled = true;
    try {
      const answer = await fetch(`/api/v1/auctions/${data.auction_id}/transcript`);
      if (!answer.ok) return;
      const events = eventsIn(await answer.text(), money.exponent);
      // Only now: the room went on while the answer was on its way.
      this.room = withHistory(this.room, events);
      this.drawSoon();
    } catch {
      // The story of the past is a comfort; what counts comes over the socket.
    }
  }

  private answered(ack: Ack, bid: PendingBid | null): void {
    this.room = fold(this.room, ack);
    if (ack.outcome === "accepted") this.band.acted();
    this.supplier?.answered(ack, bid, this.room);
    this.drawSoon();
  }

  /** Many frames, one drawing: twenty frames a second must not cost twenty layouts on an old phone. */
  private drawSoon(): void {
    if (this.drawing) return;
    this.drawing = true;
    // A hidden tab has no frames, and its title must still say whose turn it is.
    if (document.hidden) setTimeout(() => this.drawNow(), 0);
    else requestAnimationFrame(() => this.drawNow());
  }

  private drawNow(): void {
    if (!this.drawing) return;
    this.drawing = false;
    this.draw();
  }

  private draw(): void {
    const { room, buyer } = this;
    this.stageView.draw(room);
    drawStanding(room);
    this.supplier?.draw(room);
    buyer?.draw(room);
    drawFeed(room);
    this.stateBanner();
    this.tick();
  }

  private stateChanged(): void {
    const said = { scheduled: "", open: _("The auction is open."), paused: _("The auction is paused."), closed: _("The auction is closed."), cancelled: _("The auction was cancelled.") };
    if (said[this.room.state]) announce(said[this.room.state]);
  }

  private stateBanner(): void {
    const { state, reason } = this.room;
    if (state === "paused") return this.banner("warn", _("The auction is paused"), pausedText(reason));
    if (state === "cancelled") return this.banner("bad", _("The auction was cancelled"), reason ?? "");
    if (element("banner").dataset.about !== "wire") element("banner").hidden = true;
  }

  private connected(connection: Connection): void {
    const wire = element("wire");
    const was = this.live;
    const stopped = connection === "login" || connection === "not_admitted" || connection === "unknown" || connection === "stopped";
    wire.dataset.wire = stopped ? "stopped" : connection;
    write("wire-text", stopped ? _("Off") : connection === "live" ? _("Live") : this.room.known ? _("Reconnecting") : _("Connecting"));
    this.live = connection === "live";
    // Old figures lose their colour at once, and nothing can be bid on them.
    element("main").dataset.line = this.live || !this.room.known ? "live" : "lost";
    if (this.room.known && was !== this.live) announce(this.live ? _("Connected again.") : _("The connection is lost. What is shown may be old."));
    this.supplier?.line(this.live);
    this.tick();
    if (connection === "login") this.banner("bad", _("You are logged out"), _("Log in to go on. Your bids are safe."), { text: _("Log in"), href: `/login?next=${encodeURIComponent(location.pathname)}` });
    if (connection === "not_admitted") this.banner("warn", _("You do not take part yet"), _("Accept the terms of the tender to bid."), { text: _("To the tender"), href: data.tender_url });
    if (connection === "unknown") this.banner("bad", _("This auction does not exist here"), "");
    if (connection === "live" && element("banner").dataset.about === "wire") element("banner").hidden = true;
  }

  private banner(tone: "warn" | "bad", title: string, text: string, link?: { text: string; href: string }): void {
    const box = element("banner");
    box.dataset.tone = tone;
    box.dataset.about = link ? "wire" : "state";
    box.hidden = false;
    write("banner-title", title);
    write("banner-text", text);
    const anchor = element<HTMLAnchorElement>("banner-link");
    anchor.hidden = link === undefined;
    if (!link) return;
    anchor.textContent = link.text;
    anchor.href = link.href;
  }
}

function pausedText(reason: string | null): string {
  if (reason === "interrupted") return _("A server does not answer. Nothing is lost; the time that was left comes back.");
  return reason || _("Nothing is lost. Bids count again when it goes on.");
}

new AuctionPage().run();
