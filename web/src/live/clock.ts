/* The server's time on this device: offset by pings, as in NTP (RFC 5905, 8): the sample with the shortest way wins. */

const SAMPLES_MAX = 8;
// An old sample drifts with the device's quartz (about 50 ppm); after this long a slower, fresher one is better.
const SAMPLE_AGE_MS_MAX = 120_000;

interface Sample {
  takenMs: number;
  offsetMs: number;
  roundTripMs: number;
}

/** All times in milliseconds with a fraction. Local times come from a monotonic clock, so a changed wall clock is harmless. */
export class ServerClock {
  private samples: Sample[] = [];

  /** A pong came back: `sentMs` and `receivedMs` local, `serverMs` the server's time in between. */
  add(sentMs: number, receivedMs: number, serverMs: number): void {
    const roundTripMs = receivedMs - sentMs;
    if (roundTripMs < 0) return;
    const offsetMs = serverMs - (sentMs + receivedMs) / 2;
    this.samples = this.samples.filter((sample) => receivedMs - sample.takenMs < SAMPLE_AGE_MS_MAX);
    this.samples.push({ takenMs: receivedMs, offsetMs, roundTripMs });
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
  }

  /** The device slept or the clock jumped: nothing known before holds. */
  forget(): void {
    this.samples = [];
  }

  get known(): boolean {
    return this.samples.length > 0;
  }

  /** Half the best round trip: the true time is within this of `now`. */
  get uncertaintyMs(): number {
    return this.known ? this.best().roundTripMs / 2 : Infinity;
  }

  now(localMs: number): number {
    return this.known ? localMs + this.best().offsetMs : localMs;
  }

  private best(): Sample {
    return this.samples.reduce((best, sample) => (sample.roundTripMs < best.roundTripMs ? sample : best));
  }
}

/** An RFC 3339 time, or a number of µs, as milliseconds with a fraction; NaN when it is neither. */
export function instantMs(value: unknown): number {
  if (typeof value === "number") return value / 1_000;
  if (typeof value !== "string") return NaN;
  const match = /^(.+T\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(value);
  return match ? Date.parse(match[1]! + match[3]!) + Number(match[2] ?? 0) * 1_000 : NaN;
}

/** `1:02:03`, `02:03`, and in the last ten seconds `00:09.4`. Never below zero; rounds up, so 00:00 means over. */
export function countdown(remainingMs: number, finest: "tenths" | "seconds" = "tenths"): string {
  const left = Math.max(0, remainingMs);
  const tenths = Math.ceil(left / 100);
  if (tenths <= 100 && finest === "tenths") return `00:${String(Math.floor(tenths / 10)).padStart(2, "0")}.${tenths % 10}`;
  const seconds = Math.ceil(left / 1_000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const tail = `${String(minutes).padStart(2, "0")}:${String(rest).padStart(2, "0")}`;
  return hours > 0 ? `${hours}:${tail}` : tail;
}

// A screen reader hears these once each, never every second.
export const SPOKEN_AT_S = [600, 300, 120, 60, 30, 10];

/** The mark that was passed between two looks at the clock, in seconds; null for none, or at a first look. */
export function spokenMark(beforeMs: number, afterMs: number): number | null {
  if (!Number.isFinite(beforeMs)) return null;
  return SPOKEN_AT_S.find((mark) => beforeMs > mark * 1_000 && afterMs <= mark * 1_000) ?? null;
}
