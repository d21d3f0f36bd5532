import { expect, test } from "vitest";
import { eventsIn } from "./history";
import { emptyRoom, fold, withHistory } from "./room";

const lines = [
  { type: "header", auction: "a" },
  { type: "command", seq: 1, ts: 1_795_291_814_968_001, outcome: { accepted: true, events: [{ kind: "opened", close_at: 1_795_292_416_491_578 }] } },
  { type: "command", seq: 2, payload_hash: "hidden" },
  { type: "command", seq: 3, ts: 1_795_291_815_000_000, outcome: { accepted: true, events: [{ kind: "bid", bidder: "Amber Heron", price: 41225000, rank: 1, evaluated: "41225000" }] } },
  { type: "head", seq: 3 },
];
const transcript = `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`;

test("visible events come as frames, hidden lines leave nothing", () => {
  const events = eventsIn(transcript, 2);
  expect(events.map((event) => event.kind)).toEqual(["opened", "bid"]);
  expect(events[0]!.close_at).toBe("2026-11-21T20:20:16.491Z");
  expect(events[1]).toMatchObject({ seq: 3, alias: "Amber Heron", price: "412250.00", rank: 1 });
});

test("history goes under what came live, each event once, and changes no state", () => {
  const live = fold(emptyRoom("EUR"), { type: "event", seq: 3, ts: "2026-11-21T20:10:15.000Z", kind: "bid", alias: "Amber Heron", price: "412250.00" });
  const room = withHistory(live, eventsIn(transcript, 2));
  expect(room.feed.map((entry) => entry.seq)).toEqual([3, 1]);
  expect(room.state).toBe("scheduled");
});
