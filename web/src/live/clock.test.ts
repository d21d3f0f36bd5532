import { describe, expect, test } from "vitest";
import { ServerClock, countdown, instantMs, spokenMark } from "./clock";

describe("server clock", () => {
  test("the quickest round trip wins", () => {
    const clock = new ServerClock();
    clock.add(1_000, 1_400, 51_000);
    expect(clock.now(0)).toBe(49_800);
    clock.add(2_000, 2_010, 52_005);
    expect(clock.now(2_010)).toBe(52_010);
    expect(clock.uncertaintyMs).toBe(5);
    clock.add(3_000, 3_900, 99_999);
    expect(clock.now(2_010)).toBe(52_010);
  });

  test("devices whose own clocks are wrong count down alike", () => {
    const left = [0, 10_000, -3_600_000].map((wrongByMs) => {
      const clock = new ServerClock();
      const local = 1_000_000 + wrongByMs;
      clock.add(local - 40, local, 2_000_000);
      return 2_055_000 - clock.now(local + 20);
    });
    expect(left).toEqual([54_960, 54_960, 54_960]);
  });

  test("an old sample gives way to a slower fresh one", () => {
    const clock = new ServerClock();
    clock.add(0, 2, 1_001);
    clock.add(200_000, 200_100, 201_550);
    expect(clock.now(200_050)).toBe(201_550);
  });

  test("unknown before the first sample and after waking up", () => {
    const clock = new ServerClock();
    expect(clock.uncertaintyMs).toBe(Infinity);
    clock.add(0, 10, 100);
    clock.forget();
    expect(clock.known).toBe(false);
  });
});

test("RFC 3339 keeps its microseconds", () => {
  expect(instantMs("2026-12-01T10:00:00.123456Z")).toBeCloseTo(Date.UTC(2026, 11, 1, 10) + 123.456, 2);
  expect(instantMs("2026-12-01T12:00:00+02:00")).toBe(Date.UTC(2026, 11, 1, 10));
  expect(instantMs(1_000_000)).toBe(1_000);
  expect(instantMs(null)).toBeNaN();
});

test.each([
  [3_723_000, "1:02:03"],
  [119_001, "02:00"],
  [10_001, "00:11"],
  [9_999, "00:10.0"],
  [9_350, "00:09.4"],
  [1, "00:00.1"],
  [0, "00:00.0"],
  [-5, "00:00.0"],
])("%i ms left read %s", (left, face) => {
  expect(countdown(left)).toBe(face);
});

test("marks are spoken once, when they are passed", () => {
  expect(spokenMark(60_100, 59_990)).toBe(60);
  expect(spokenMark(59_990, 59_890)).toBeNull();
  expect(spokenMark(Infinity, 5_000)).toBeNull();
});
