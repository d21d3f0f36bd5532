/* The live channel's client: hello, resume, reconnect, clock, and bids that go out until they are answered. No DOM. */

import { afterClose } from "./backoff";
import { ServerClock, instantMs } from "./clock";
import { type Ack, type ErrorFrame, type ServerFrame, type Snapshot, parseFrame } from "./messages";
import { type BidDrawer, type Order, type PendingBid, sortPending } from "./pending";

/** `silent`: the socket is there, but nothing came back for a while. */
export type Connection = "connecting" | "live" | "silent" | "waiting" | "login" | "not_admitted" | "unknown" | "stopped";

export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((message: { data: string }) => void) | null;
  onclose: ((close: { code: number }) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** The world outside: sockets, timers, chance and the two clocks; tests hand in their own. */
export interface World {
  connect(): Socket;
  later(task: () => void, delayMs: number): number;
  never(timer: number): void;
  random(): number;
  monotonicMs(): number;
  wallMs(): number;
  newCid(): string;
}

export interface Listener {
  onConnection(connection: Connection, retryInMs: number | null): void;
  onFrame(frame: ServerFrame): void;
  onAck(ack: Ack, bid: PendingBid | null): void;
  /** The server could not take the frame at all; nothing was put into the auction. */
  onNotTaken(error: ErrorFrame, bid: PendingBid): void;
  onPending(): void;
}

const PING_EVERY_MS = 4_000;
// In the last minutes of an auction an old rank costs money; twenty bytes a second do not.
const PING_HURRIED_MS = 1_000;
const PING_FIRST_MS = [0, 150, 400, 900];
// No frame for this long although pings went out: the network is gone and only the socket does not know.
const SILENCE_MS_MAX = 9_000;
// A ping without an answer for this long: what the page shows may be old. Slower than any usual round trip.
const DOUBT_MS = 2_000;
const CONNECT_MS_MAX = 8_000;
const AGAIN = new Set(["retry", "too_fast"]);
const AGAIN_MS = 150;

export class LiveClient {
  readonly clock = new ServerClock();
  private socket: Socket | null = null;
  private connection: Connection = "stopped";
  private epoch: number | null = null;
  private lastSeq: number | null = null;
  private failures = 0;
  private heardMs = 0;
  private hurried = false;
  private chain = 0;
  private inFlight = new Set<string>();
  private timers = new Set<number>();

  constructor(
    private readonly world: World,
    private readonly drawer: BidDrawer,
    private readonly listener: Listener,
  ) {}

  start(): void {
    if (this.socket) return;
    this.clear();
    this.inFlight.clear();
    this.say("connecting", null);
    const socket = this.world.connect();
    this.socket = socket;
    socket.onopen = () => this.opened(socket);
    socket.onmessage = (message) => this.heard(socket, message.data);
    socket.onclose = (close) => this.closed(socket, close.code);
    this.after(CONNECT_MS_MAX, () => this.connection === "connecting" && this.abandon(socket));
  }

  stop(): void {
    this.clear();
    const socket = this.socket;
    this.socket = null;
    socket?.close(1000);
    this.say("stopped", null);
  }

  /** The device says that there is no network: what a socket still promises is not worth waiting for. */
  offline(): void {
    if (this.socket) this.abandon(this.socket);
  }

  /** Ask for signs of life every second, or at leisure again. */
  hurry(hurried: boolean): void {
    if (hurried === this.hurried) return;
    this.hurried = hurried;
    // At once, and each second from now on: the beat that is waiting may be seconds away.
    if (hurried && this.socket && this.connection === "live") this.beat(this.socket, ++this.chain);
  }

  /** The network is back or the page is seen again: do not wait out the back-off, do not trust the old clock. */
  wake(): void {
    this.failures = 0;
    if (this.connection === "waiting") return this.start();
    if (this.connection !== "live" && this.connection !== "silent") return;
    this.clock.forget();
    this.ping();
    const socket = this.socket;
    const asked = this.world.monotonicMs();
    this.after(2_500, () => socket && this.heardMs < asked && this.abandon(socket));
  }

  /** The server's time in ms, by the best measurement so far. */
  nowMs(): number {
    return this.clock.now(this.world.monotonicMs());
  }

  /** Keeps the order on the device first, then sends it; answers come by `onAck`. Returns its cid. */
  order(order: Order, price: string | null): string {
    const bid: PendingBid = { cid: this.world.newCid(), price, order, sentAtMs: this.world.wallMs() };
    this.drawer.keep(bid);
    this.transmit(bid);
    this.listener.onPending();
    return bid.cid;
  }

  /** Send a bid found on the device again, now wanted once more. */
  repeat(bid: PendingBid): void {
    const wanted = { ...bid, sentAtMs: this.world.wallMs() };
    this.drawer.keep(wanted);
    this.transmit(wanted);
    this.listener.onPending();
  }

  /** False when nobody can be asked now. */
  hint(id: string, rank: number): boolean {
    if (this.connection !== "live") return false;
    this.send({ type: "hint", id, rank });
    return true;
  }

  private opened(socket: Socket): void {
    if (socket !== this.socket) return;
    this.heardMs = this.world.monotonicMs();
    const resume = this.lastSeq !== null && this.epoch !== null;
    this.send(resume ? { type: "hello", last_seq: this.lastSeq, epoch: this.epoch } : { type: "hello" });
    for (const delayMs of PING_FIRST_MS) this.after(delayMs, () => this.ping());
    const chain = ++this.chain;
    this.after(PING_EVERY_MS, () => this.beat(socket, chain));
  }

  private beat(socket: Socket, chain: number): void {
    if (socket !== this.socket || chain !== this.chain) return;
    this.askAlive(socket);
    this.after(this.hurried ? PING_HURRIED_MS : PING_EVERY_MS, () => this.beat(socket, chain));
  }

  private askAlive(socket: Socket): void {
    const askedMs = this.world.monotonicMs();
    if (askedMs - this.heardMs > SILENCE_MS_MAX) return this.abandon(socket);
    this.ping();
    this.after(DOUBT_MS, () => {
      const answered = socket !== this.socket || this.heardMs >= askedMs;
      if (!answered && this.connection === "live") this.say("silent", null);
    });
  }

  private heard(socket: Socket, text: string): void {
    const frame = parseFrame(text);
    if (socket !== this.socket || frame === null) return;
    this.heardMs = this.world.monotonicMs();
    this.remember(frame);
    // Any answer means that hello was taken; after a resume without news a pong is the first.
    if (this.connection === "connecting" && frame.type !== "error") this.goLive();
    if (this.connection === "silent") this.goLive();
    if (frame.type === "pong") return this.clock.add(frame.t, this.heardMs, instantMs(frame.now));
    if (frame.type === "ack") return this.acked(frame);
    if (frame.type === "error" && frame.cid !== undefined) return this.notTaken(frame, frame.cid);
    this.listener.onFrame(frame);
  }

  private remember(frame: ServerFrame): void {
    if (frame.type === "snapshot") this.restart(frame);
    if (frame.type === "event" && this.lastSeq !== null) this.lastSeq = Math.max(this.lastSeq, frame.seq);
  }

  private restart(snapshot: Snapshot): void {
    this.epoch = snapshot.epoch;
    this.lastSeq = snapshot.seq;
    const serverMs = instantMs(snapshot.now);
    // Until the first pong: better than the device's own clock, worse than any measured sample.
    if (!this.clock.known && !Number.isNaN(serverMs)) this.clock.add(this.heardMs - 1_000, this.heardMs, serverMs);
  }

  private goLive(): void {
    this.failures = 0;
    this.say("live", null);
    const { resend } = sortPending(this.drawer.pending(), this.world.wallMs());
    for (const bid of resend) this.transmit(bid);
    this.listener.onPending();
  }

  private acked(ack: Ack): void {
    const bid = this.drawer.pending().find((kept) => kept.cid === ack.cid) ?? null;
    this.inFlight.delete(ack.cid);
    this.drawer.drop(ack.cid);
    if (bid) {
      const { cid, outcome, seq, ts, receipt } = ack;
      this.drawer.file({ cid, outcome, seq, ts, receipt, type: bid.order.type, price: bid.price });
    }
    this.listener.onAck(ack, bid);
    this.listener.onPending();
  }

  /** A bid that never entered the log: sent again by itself where the server asks for that, else given back. */
  private notTaken(error: ErrorFrame, cid: string): void {
    const bid = this.drawer.pending().find((kept) => kept.cid === cid);
    this.inFlight.delete(cid);
    if (!bid) return;
    if (AGAIN.has(error.code)) {
      return this.after(Math.max(AGAIN_MS, (error.retry_after_s ?? 0) * 1_000), () => this.transmit(bid));
    }
    this.drawer.drop(cid);
    this.listener.onNotTaken(error, bid);
    this.listener.onPending();
  }

  private transmit(bid: PendingBid): void {
    if (this.connection !== "live" || this.inFlight.has(bid.cid)) return;
    this.inFlight.add(bid.cid);
    this.send({ ...bid.order, cid: bid.cid });
  }

  private ping(): void {
    if (this.socket) this.send({ type: "ping", t: this.world.monotonicMs() });
  }

  private send(frame: object): void {
    try {
      this.socket?.send(JSON.stringify(frame));
    } catch {
      // The socket is already closing; its close event follows and what matters is sent again.
    }
  }

  private abandon(socket: Socket): void {
    socket.close();
    // A dead network may take minutes to confirm the close; do not wait for it.
    this.closed(socket, 1006);
  }

  private closed(socket: Socket, code: number): void {
    if (socket !== this.socket) return;
    this.socket = null;
    this.clear();
    this.inFlight.clear();
    const verdict = afterClose(code, this.failures++, this.world.random());
    if (verdict.kind === "stop") return this.say(verdict.reason, null);
    this.say("waiting", verdict.delayMs);
    this.after(verdict.delayMs, () => this.start());
  }

  private say(connection: Connection, retryInMs: number | null): void {
    this.connection = connection;
    this.listener.onConnection(connection, retryInMs);
  }

  private after(delayMs: number, task: () => void): void {
    const timer = this.world.later(() => {
      this.timers.delete(timer);
      task();
    }, delayMs);
    this.timers.add(timer);
  }

  private clear(): void {
    for (const timer of this.timers) this.world.never(timer);
    this.timers.clear();
  }
}
