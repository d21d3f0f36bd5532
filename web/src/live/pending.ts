/* Orders without an answer, and receipts, kept on the device: a dead phone loses nothing. */

/** What goes out besides the cid: a bid (a null price takes it back), a step accepted, an automatic limit (null ends it). */
export type Order =
  | { type: "bid"; price: string | null; attributes?: Record<string, string>; lines?: Record<string, string>; confirm?: string }
  | { type: "accept"; step: number }
  | { type: "auto"; limit: string | null };

/** `price` is what the person saw: of the bid, of the step, or the limit. */
export interface PendingBid {
  cid: string;
  price: string | null;
  order: Order;
  sentAtMs: number;
}

export interface Receipt {
  cid: string;
  outcome: "accepted" | "refused";
  type: Order["type"];
  price: string | null;
  seq: number;
  ts: string;
  receipt: unknown;
}

const RECEIPTS_MAX = 200;
const PENDING_MAX = 50;
// After a cut the same bid goes out again by itself; one found hours later is no longer surely wanted, so it asks.
export const RESEND_MS_MAX = 60_000;

type Store = Pick<Storage, "getItem" | "setItem">;

/** One person's bids in one auction. `store` is localStorage; one that throws (full, private) only loses the safety net. */
export class BidDrawer {
  constructor(
    private readonly store: Store,
    private readonly name: string,
  ) {}

  pending(): PendingBid[] {
    return this.read<PendingBid>("pending").filter((kept) => kept.order !== undefined);
  }

  keep(bid: PendingBid): void {
    const others = this.pending().filter((kept) => kept.cid !== bid.cid);
    this.write("pending", [...others, bid].slice(-PENDING_MAX));
  }

  drop(cid: string): void {
    this.write("pending", this.pending().filter((kept) => kept.cid !== cid));
  }

  receipts(): Receipt[] {
    return this.read<Receipt>("receipts");
  }

  file(receipt: Receipt): void {
    const others = this.receipts().filter((kept) => kept.cid !== receipt.cid);
    this.write("receipts", [...others, receipt].slice(-RECEIPTS_MAX));
  }

  private read<T>(drawer: string): T[] {
    try {
      const kept: unknown = JSON.parse(this.store.getItem(`${this.name}:${drawer}`) ?? "[]");
      return Array.isArray(kept) ? (kept as T[]) : [];
    } catch {
      return [];
    }
  }

  private write(drawer: string, entries: unknown[]): void {
    try {
      this.store.setItem(`${this.name}:${drawer}`, JSON.stringify(entries));
    } catch {
      // Nowhere to keep it: the bid is still sent, and the server's journal still holds the receipt.
    }
  }
}

/** Splits what is still waiting into what goes out again by itself and what must be asked about. */
export function sortPending(bids: PendingBid[], nowMs: number): { resend: PendingBid[]; ask: PendingBid[] } {
  // A step accepted long ago is harmless: it has its answer already, or is refused as passed.
  const fresh = (bid: PendingBid) => bid.order.type === "accept" || nowMs - bid.sentAtMs <= RESEND_MS_MAX;
  return { resend: bids.filter(fresh), ask: bids.filter((bid) => !fresh(bid)) };
}
