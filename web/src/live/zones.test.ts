import { afterEach, expect, test } from "vitest";
import { localText, readLocalTime } from "./zones";

const before = process.env.TZ;
afterEach(() => {
  process.env.TZ = before;
});

test.each([
  ["Europe/Berlin", "2027-03-28T02:30", "2027-03-28T03:30"],
  ["America/New_York", "2027-03-14T02:30", "2027-03-14T03:30"],
  ["Europe/Warsaw", "2027-03-28T02:00", "2027-03-28T03:00"],
])("in %s the clocks never show %s", (zone, typed, next) => {
  process.env.TZ = zone;
  expect(readLocalTime(typed)).toEqual({ kind: "gap", next });
});

test.each([
  ["Europe/Berlin", "2027-03-28T03:30", -120],
  ["Europe/Berlin", "2027-01-15T10:00", -60],
  ["America/New_York", "2027-03-14T03:30", 240],
  ["UTC", "2027-03-28T02:30", 0],
])("in %s, %s is %i minutes from UTC", (zone, typed, offsetMin) => {
  process.env.TZ = zone;
  expect(readLocalTime(typed)).toEqual({ kind: "time", offsetMin });
});

test("what is no time, or at the end of the calendar, is neither", () => {
  expect(readLocalTime("")).toEqual({ kind: "none" });
  expect(readLocalTime("9999-12-31T23:59")).toEqual({ kind: "out_of_calendar" });
  expect(readLocalTime("275760-09-13T00:00")).toEqual({ kind: "out_of_calendar" });
  expect(readLocalTime("0001-01-01T00:00")).toEqual({ kind: "out_of_calendar" });
});

test("a moment is written as the clock of the place shows it", () => {
  process.env.TZ = "Europe/Berlin";
  expect(localText(new Date("2027-03-28T01:30:00Z"))).toBe("2027-03-28T03:30");
});
