/* The signed receipts, newest first, each one a file. The server has them all, from any device; those just
   answered are shown before it is asked. */

import { instantMs } from "../live/clock";
import type { BidDrawer, Receipt } from "../live/pending";
import { _ } from "../texts";
import { clockTime } from "../times";
import { data, element, icon, make, shown, write } from "./page";

const PAGE = 200;
const AGAIN_MS = 500;

interface Answered {
  kind: Receipt["type"];
  price: string | null;
  receipt: { cid: string; outcome: Receipt["outcome"]; seq: number; ts: string };
}

interface ReceiptPage {
  items: Answered[];
  next_cursor: string | null;
}

export class Receipts {
  private fromServer: Receipt[] = [];
  private asking = false;
  private wanted = false;
  private best: string | null | undefined;

  constructor(private readonly drawer: BidDrawer) {
    element("receipts-save").addEventListener("click", () => save(`receipts-${data.auction_id}.json`, this.all().map(({ receipt }) => receipt)));
    this.draw();
    void this.ask();
  }

  /** A bid of this bidder that this device did not send: another device, a colleague, an automatic limit. */
  noteBest(best: string | null | undefined): void {
    if (best === this.best) return;
    const first = this.best === undefined;
    this.best = best;
    if (!first) void this.ask();
  }

  draw(): void {
    const receipts = this.all();
    write("receipts-count", String(receipts.length));
    element("receipts-empty").hidden = receipts.length > 0;
    element<HTMLButtonElement>("receipts-save").disabled = receipts.length === 0;
    const list = element("receipts");
    const shownNow = receipts.map(({ seq }) => seq).join();
    if (list.dataset.shown === shownNow) return;
    list.dataset.shown = shownNow;
    list.replaceChildren(...receipts.map(line));
  }

  /** The server's, and on top what it was not asked about yet. */
  private all(): Receipt[] {
    const known = new Set(this.fromServer.map(({ seq }) => seq));
    const newer = this.drawer.receipts().filter(({ seq }) => !known.has(seq));
    return [...this.fromServer, ...newer].sort((a, b) => b.seq - a.seq);
  }

  private async ask(): Promise<void> {
    this.wanted = true;
    if (this.asking) return;
    this.asking = true;
    while (this.wanted) {
      this.wanted = false;
      try {
        this.fromServer = await allPages();
        this.draw();
      } catch {
        // Those of this device are shown; the next bid asks again.
      }
      // Many bids in a row are asked about once.
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    this.asking = false;
  }
}

async function allPages(): Promise<Receipt[]> {
  const found: Receipt[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const answer: Response = await fetch(`/api/v1/auctions/${data.auction_id}/receipts?limit=${PAGE}${cursor && `&cursor=${cursor}`}`);
    if (!answer.ok) throw new Error(String(answer.status));
    const page = (await answer.json()) as ReceiptPage;
    found.push(...page.items.map(({ kind, price, receipt }) => ({ ...receipt, type: kind, price, receipt })));
    cursor = page.next_cursor;
  }
  return found;
}

function line(receipt: Receipt): HTMLElement {
  const item = make("li");
  item.dataset.outcome = receipt.outcome;
  const accepted = receipt.outcome === "accepted";
  const text = make("span", "num");
  text.append(make("b", "", told(receipt)), " ", make("small", "", `${accepted ? _("accepted") : _("refused")} · ${clockTime(instantMs(receipt.ts))} · ${_("no. %(seq)s", { seq: receipt.seq })}`));
  const button = make("button", "btn");
  button.setAttribute("aria-label", _("Save receipt no. %(seq)s", { seq: receipt.seq }));
  button.append(icon("download"));
  button.addEventListener("click", () => save(`receipt-${receipt.seq}.json`, receipt.receipt));
  item.append(icon(accepted ? "check" : "cross"), text, button);
  return item;
}

function told({ type, price }: Receipt): string {
  if (type === "auto") return price === null ? _("Automatic bidding off") : _("Automatic to %(price)s", { price: shown(price) });
  if (type === "accept" && price === null) return _("Step accepted");
  return price === null ? _("Taken back") : shown(price);
}

function save(name: string, content: unknown): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
