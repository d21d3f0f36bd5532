import { beforeEach, describe, expect, test } from "vitest";
import { afterClose } from "./backoff";
import { type Connection, LiveClient, type Socket, type World } from "./client";
import type { Ack, ErrorFrame } from "./messages";
import { BidDrawer, type PendingBid, RESEND_MS_MAX, sortPending } from "./pending";

/** Time moved by hand; sockets that only remember. */
class Laboratory implements World {
  ms = 1_000;
  sockets: FakeSocket[] = [];
  private tasks = new Map<number, { atMs: number; task: () => void }>();
  private count = 0;

  connect(): Socket {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }
  later(task: () => void, delayMs: number): number {
    this.tasks.set(++this.count, { atMs: this.ms + delayMs, task });
    return this.count;
  }
  never(timer: number): void {
    this.tasks.delete(timer);
  }
  random = () => 0.5;
  monotonicMs = () => this.ms;
  wallMs = () => this.ms;
  newCid = () => `cid-${++this.count}`;

  pass(ms: number): void {
    const until = this.ms + ms;
    for (;;) {
      const due = [...this.tasks].filter(([, { atMs }]) => atMs <= until).sort((a, b) => a[1].atMs - b[1].atMs)[0];
      if (!due) break;
      this.ms = Math.max(this.ms, due[1].atMs);
      this.tasks.delete(due[0]);
      due[1].task();
    }
    this.ms = until;
  }
  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }
}

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((close: { code: number }) => void) | null = null;
  sent: Record<string, unknown>[] = [];
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close(): void {}
  hear(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  open(seq = 7): void {
    this.onopen?.();
    this.hear({ type: "snapshot", epoch: 3, seq, now: "2026-12-01T10:00:00.000000Z", terms: { currency: "EUR" }, state: "open", close_at: null, standing: [] });
  }
  bids(): Record<string, unknown>[] {
    return this.sent.filter((frame) => frame.type === "bid");
  }
}

function memory(): Pick<Storage, "getItem" | "setItem"> {
  const kept = new Map<string, string>();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => void kept.set(key, text) };
}

describe("live client", () => {
  let lab: Laboratory;
  let drawer: BidDrawer;
  let client: LiveClient;
  let connections: Connection[];
  let acks: [Ack, PendingBid | null][];
  let refused: ErrorFrame[];

  beforeEach(() => {
    lab = new Laboratory();
    drawer = new BidDrawer(memory(), "a");
    [connections, acks, refused] = [[], [], []];
    client = new LiveClient(lab, drawer, {
      onConnection: (connection) => connections.push(connection),
      onFrame: () => {},
      onAck: (ack, bid) => acks.push([ack, bid]),
      onNotTaken: (error) => refused.push(error),
      onPending: () => {},
    });
    client.start();
  });
  const ack = (cid: unknown) => ({ type: "ack", cid, seq: 9, ts: "t", outcome: "accepted", receipt: { seq: 9 } });

  test("says hello, then resumes from where it was", () => {
    lab.socket.open();
    expect(lab.socket.sent[0]).toEqual({ type: "hello" });
    lab.socket.hear({ type: "event", seq: 9, ts: "t", kind: "bid" });
    lab.socket.onclose?.({ code: 1006 });
    lab.pass(1_000);
    lab.socket.onopen?.();
    expect(lab.socket.sent[0]).toEqual({ type: "hello", last_seq: 9, epoch: 3 });
  });

  test("a bid cut off in flight goes out again under the same cid until it is answered, once", () => {
    lab.socket.open();
    const cid = client.order({ type: "bid", price: "100.00" }, "100.00");
    lab.socket.onclose?.({ code: 1006 });
    lab.pass(1_000);
    lab.socket.open();
    expect(lab.socket.bids()).toEqual([{ type: "bid", cid, price: "100.00" }]);
    lab.socket.hear(ack(cid));
    expect(drawer.pending()).toEqual([]);
    expect(drawer.receipts()).toMatchObject([{ cid, price: "100.00", seq: 9 }]);
    lab.socket.onclose?.({ code: 1012 });
    lab.pass(1_000);
    lab.socket.open();
    expect(lab.socket.bids()).toEqual([]);
  });

  test("a bid given while offline waits on the device", () => {
    client.order({ type: "bid", price: "90.00" }, "90.00");
    expect(lab.socket.bids()).toEqual([]);
    lab.socket.open();
    expect(lab.socket.bids()).toHaveLength(1);
  });

  test("after a dead phone, a new page sends what the old one left, unless it is old", () => {
    drawer.keep({ cid: "old", price: "80.00", order: { type: "bid", price: "80.00" }, sentAtMs: lab.ms - RESEND_MS_MAX - 1 });
    drawer.keep({ cid: "new", price: "79.00", order: { type: "bid", price: "79.00" }, sentAtMs: lab.ms });
    lab.socket.open();
    expect(lab.socket.bids().map((bid) => bid.cid)).toEqual(["new"]);
    expect(sortPending(drawer.pending(), lab.ms).ask).toMatchObject([{ cid: "old" }]);
    client.repeat(drawer.pending()[0]!);
    expect(lab.socket.bids()).toHaveLength(2);
  });

  test("a silent socket is given up although it never closed", () => {
    lab.socket.open();
    lab.pass(20_000);
    expect(lab.sockets.length).toBeGreaterThan(1);
    expect(connections).toContain("waiting");
  });

  test("a line that does not answer is doubted after two seconds, and believed again when it speaks", () => {
    lab.socket.open();
    lab.pass(900);
    lab.socket.hear({ type: "pong", t: lab.ms, now: "2026-12-01T10:00:00.000000Z" });
    lab.pass(1);
    client.hurry(true);
    lab.pass(1_900);
    expect(connections.at(-1)).toBe("live");
    lab.pass(200);
    expect(connections.at(-1)).toBe("silent");
    lab.socket.hear({ type: "pong", t: lab.ms, now: "2026-12-01T10:00:05.000000Z" });
    expect(connections.at(-1)).toBe("live");
    expect(lab.sockets).toHaveLength(1);
  });

  test("in a hurry a sign of life is asked for every second", () => {
    lab.socket.open();
    lab.pass(900);
    client.hurry(true);
    const before = lab.socket.sent.length;
    for (let second = 0; second < 10; second++) {
      lab.pass(1_000);
      lab.socket.hear({ type: "pong", t: lab.ms, now: "2026-12-01T10:00:00.000000Z" });
    }
    expect(lab.socket.sent.slice(before).length).toBeGreaterThanOrEqual(7);
    expect(connections.at(-1)).toBe("live");
  });

  test("a device without a network gives its socket up at once and comes back when told", () => {
    lab.socket.open();
    client.offline();
    expect(connections.at(-1)).toBe("waiting");
    client.wake();
    lab.socket.open();
    expect(connections.at(-1)).toBe("live");
  });

  test("too fast is tried again, unreadable is given back", () => {
    lab.socket.open();
    const cid = client.order({ type: "bid", price: "100.00" }, "100.00");
    lab.socket.hear({ type: "error", code: "too_fast", detail: "", cid, retry_after_s: 1 });
    lab.pass(1_000);
    expect(lab.socket.bids()).toHaveLength(2);
    lab.socket.hear({ type: "error", code: "malformed", detail: "no", cid });
    expect(refused).toHaveLength(1);
    expect(drawer.pending()).toEqual([]);
  });

  test("a resume without news is live with the first pong", () => {
    lab.socket.open();
    lab.socket.onclose?.({ code: 1006 });
    lab.pass(1_000);
    lab.socket.onopen?.();
    lab.socket.hear({ type: "pong", t: lab.ms, now: "2026-12-01T10:00:00.000000Z" });
    expect(connections.at(-1)).toBe("live");
  });

  test("logged out, not admitted and unknown are final", () => {
    lab.socket.onclose?.({ code: 4401 });
    lab.pass(60_000);
    expect(connections.at(-1)).toBe("login");
    expect(lab.sockets).toHaveLength(1);
  });

  test("waking up does not wait for the back-off", () => {
    lab.socket.onclose?.({ code: 1006 });
    client.wake();
    expect(lab.sockets).toHaveLength(2);
  });
});

test("back-off grows, stays bounded and never brings all back at once", () => {
  const delay = (code: number, failures: number, random: number) => {
    const verdict = afterClose(code, failures, random);
    return verdict.kind === "retry" ? verdict.delayMs : NaN;
  };
  expect(delay(1006, 0, 0.5)).toBeLessThan(500);
  expect(delay(1006, 20, 0.999)).toBeLessThan(10_200);
  expect(delay(1006, 5, 0.1)).toBeLessThan(delay(1006, 5, 0.9));
  expect(delay(4429, 0, 0)).toBe(2_000);
  expect(delay(1012, 0, 0)).toBe(50);
});
