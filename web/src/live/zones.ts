/* A local time as a form takes it, and whether the clocks of this place ever show it. Pure. */

// Beyond this a later calculation would leave the calendar; the server draws the same line (web/pages/forms.py).
const YEAR_MAX = 2199;
const YEAR_MIN = 2000;
const TYPED = /^(\d{4,6})-(\d\d)-(\d\d)T(\d\d):(\d\d)/;

export type LocalTime =
  | { kind: "time"; offsetMin: number }
  | { kind: "none" }
  | { kind: "out_of_calendar" }
  /** Clocks jump over it; `next` is the time they show instead. */
  | { kind: "gap"; next: string };

export function readLocalTime(typed: string): LocalTime {
  const parts = TYPED.exec(typed)?.slice(1).map(Number);
  if (!parts) return { kind: "none" };
  const [year, month, day, hour, minute] = parts as [number, number, number, number, number];
  if (year < YEAR_MIN || year > YEAR_MAX) return { kind: "out_of_calendar" };
  const read = new Date(year, month - 1, day, hour, minute);
  if (read.getHours() !== hour || read.getMinutes() !== minute) return { kind: "gap", next: localText(read) };
  return { kind: "time", offsetMin: read.getTimezoneOffset() };
}

/** As a field for a local time takes it: `2027-03-28T03:30`. */
export function localText(at: Date): string {
  return new Date(at.valueOf() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
