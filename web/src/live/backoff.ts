/* How long to wait before the next try, and when to stop trying. */

const FIRST_MS = 300;
const LONGEST_MS = 10_000;
const DRAINING = 1012;

export type Verdict = { kind: "retry"; delayMs: number } | { kind: "stop"; reason: "login" | "not_admitted" | "unknown" };

const FINAL: Record<number, "login" | "not_admitted" | "unknown"> = {
  4401: "login",
  4403: "not_admitted",
  4404: "unknown",
};
const TOO_FAST = new Set([4429, 1013]);

/**
 * After close `code`, the `failures`-th in a row (from 0). Full jitter over an exponential ceiling, so that a
 * thousand clients of a node that went do not come back in the same moment. `random` is in [0, 1).
 */
export function afterClose(code: number, failures: number, random: number): Verdict {
  const reason = FINAL[code];
  if (reason) return { kind: "stop", reason };
  const floor = TOO_FAST.has(code) ? 2_000 : code === DRAINING ? 50 : 150;
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10));
  return { kind: "retry", delayMs: floor + Math.round(random * ceiling) };
}
