import { expect, test } from "vitest";
import { fellBack, toneOf } from "./band";
import type { AuctionState } from "./messages";
import { type Room, emptyRoom } from "./room";

function room(rank: number | null, state: AuctionState = "open"): Room {
  return { ...emptyRoom("EUR"), known: true, state, you: rank === null ? {} : { rank } };
}

test("the line comes before all that may be old, but not before the end", () => {
  expect(toneOf(room(1), false, false, 300_000)).toBe("lost");
  expect(toneOf(room(1, "paused"), false, false, 300_000)).toBe("lost");
  expect(toneOf(room(1, "closed"), false, false, 0)).toBe("won");
  expect(toneOf(room(2, "closed"), false, false, 0)).toBe("ended");
});

test("outbid is stronger than the last minute, and leading ends it", () => {
  expect(toneOf(room(2), true, true, 9_000)).toBe("outbid");
  expect(toneOf(room(2), true, false, 9_000)).toBe("last");
  expect(toneOf(room(2), true, false, 300_000)).toBe("behind");
  expect(toneOf(room(1), true, true, 9_000)).toBe("lead");
});

test("only a worse rank of one's own in a running auction is falling back", () => {
  expect(fellBack(room(1), room(2))).toBe(true);
  expect(fellBack(room(2), room(1))).toBe(false);
  expect(fellBack(room(null), room(2))).toBe(false);
  expect(fellBack({ ...room(1), known: false }, room(2))).toBe(false);
  expect(fellBack(room(1), room(2, "closed"))).toBe(false);
});
