/* A price far below all others is usually a slip of the keyboard: what was probably meant. Pure. */

// A lost or doubled digit, a decimal mark read as a group, a price of one for a thousand.
const FACTORS = [10n, 100n, 1_000n];

export interface Slip {
  /** How far below the reference, in whole percent. */
  percent: number;
  /** The price with the lost digits, where it could be bid; null: none comes to mind. */
  meant: bigint | null;
}

/**
 * `reference` is the best price that is shown, or else what the bidder may bid at most; `max` the most that is legal.
 * Null when there is nothing to compare with.
 */
export function slipOf(price: bigint, reference: bigint | null, max: bigint | null): Slip | null {
  if (reference === null || reference <= 0n || price >= reference) return null;
  const limit = max ?? reference;
  const meant = FACTORS.map((factor) => price * factor).filter((each) => each <= limit).at(-1) ?? null;
  return { percent: Number(((reference - price) * 100n) / reference), meant: meant !== null && meant * 2n > limit ? meant : null };
}
