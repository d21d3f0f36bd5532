import { expect, test } from "vitest";
import { slipOf } from "./slip";

test("a lost digit is offered back, as far as it could be bid", () => {
  expect(slipOf(40_000n, 410_000n, 409_000n)).toEqual({ percent: 90, meant: 400_000n });
  expect(slipOf(410n, 420_000n, 419_000n)).toEqual({ percent: 99, meant: 410_000n });
  expect(slipOf(4_950n, 50_000n, 49_900n)).toEqual({ percent: 90, meant: 49_500n });
});

test("where no other price comes to mind none is invented", () => {
  expect(slipOf(200_000n, 410_000n, 409_000n)).toEqual({ percent: 51, meant: null });
  expect(slipOf(45_000n, 410_000n, 409_000n)).toEqual({ percent: 89, meant: null });
  expect(slipOf(40_000n, null, null)).toBeNull();
});
