import { expect, test } from "vitest";
import type { Ack, EventFrame, Snapshot } from "./messages";
import { emptyRoom, fold } from "./room";

const snapshot: Snapshot = {
  type: "snapshot",
  epoch: 1,
  seq: 10,
  now: "2026-12-01T10:00:00.000000Z",
  terms: { currency: "EUR" },
  state: "open",
  close_at: "2026-12-01T10:20:00.000000Z",
  you: { alias: "Amber Heron", admitted: true, best: "100.00", rank: 2 },
  standing: [{ rank: 1, alias: "Blue Pine", price: "90.00" }],
  next: { max_price: "95.00" },
};
const event = (fields: Partial<EventFrame>): EventFrame => ({ type: "event", seq: 11, ts: "2026-12-01T10:01:00.000000Z", kind: "bid", ...fields });
const ack: Ack = { type: "ack", cid: "a", seq: 12, ts: "2026-12-01T10:01:00.000000Z", outcome: "accepted", rank: 1, next: { max_price: "80.00" }, receipt: {} };

const start = fold(emptyRoom("EUR"), snapshot);

test("what an event carries replaces, what it leaves out stays", () => {
  const room = fold(start, event({ you: { alias: "Amber Heron", best: "85.00", rank: 1 }, next: { max_price: "84.00" } }));
  expect(room.you.rank).toBe(1);
  expect(room.maxPrice).toBe("84.00");
  expect(room.standing).toEqual(snapshot.standing);
  expect(room.feed).toHaveLength(1);
});

test("frames that only carry state tell nothing; several events of one command all count", () => {
  const you = fold(start, event({ kind: "you", you: { rank: 5 } }));
  expect([you.feed.length, you.you.rank]).toEqual([0, 5]);
  const two = fold(fold(start, event({ alias: "A" })), event({ alias: "B" }));
  expect(two.feed).toHaveLength(2);
});

test("the same event twice is told once", () => {
  const once = fold(start, event({}));
  expect(fold(once, event({})).feed).toHaveLength(1);
});

test("opening, pausing with a reason, going on and closing", () => {
  const paused = fold(start, event({ kind: "paused", reason: "A question" }));
  expect([paused.state, paused.reason]).toEqual(["paused", "A question"]);
  const on = fold(paused, event({ seq: 12, kind: "resumed", close_at: "2026-12-01T10:30:00.000000Z" }));
  expect([on.state, on.reason]).toEqual(["open", null]);
  expect(on.closeAtMs! - start.closeAtMs!).toBe(600_000);
  expect(fold(on, event({ seq: 13, kind: "closed" })).state).toBe("closed");
});

test("an ack tells rank and limit, but never against newer events", () => {
  expect(fold(start, ack)).toMatchObject({ you: { rank: 1 }, maxPrice: "80.00" });
  const newer = fold(start, event({ seq: 13, you: { rank: 3 }, next: { max_price: "70.00" } }));
  expect(fold(newer, ack)).toMatchObject({ you: { rank: 3 }, maxPrice: "70.00" });
});

test("a fresh snapshot wins over everything before", () => {
  const far = fold(fold(start, ack), event({ kind: "paused", reason: "x" }));
  expect(fold(far, snapshot)).toMatchObject({ state: "open", reason: null, you: snapshot.you!, maxPrice: "95.00" });
});

test("the running stage and the own turn travel with whatever frame brings them", () => {
  const turn = fold(start, event({ kind: "stage", name: "turn", stage: { name: "turn", round: 1, turn: 2 }, you: { turn: true } }));
  expect([turn.stage.turn, turn.you.turn, turn.feed.length]).toEqual([2, true, 0]);
  const clock = fold(turn, { ...snapshot, stage: { name: "step", step: 4, price: "80.00" } });
  expect(clock.stage).toEqual({ name: "step", step: 4, price: "80.00" });
});
