/* What the pages ask of a format. A new one is a file beside this one; what it leaves out is as in PLAIN. Pure. */

import type { PhaseRules } from "../live/messages";
import type { Room } from "../live/room";

export type Lines = [title: string, text: string];

/** How the page writes prices and aliases. */
export interface Words {
  shown(price: string | null | undefined): string;
  nameOf(alias: string): string;
}

/** A price that moves by itself and is only accepted. */
export interface Clock {
  /** The first accept ends it, so it is asked for twice; else everybody confirms each step. */
  firstEnds: boolean;
  /** How many prices it can show; null when the rules do not say. */
  stepsCount(phase: PhaseRules, exponent: number): number | null;
  /** The price of a step that there is, counted from 0, in minor units. */
  priceOf(phase: PhaseRules, step: number, exponent: number): bigint;
}

export interface Format {
  name: string;
  /** Taken where rules name no format. */
  isDefault: boolean;
  clock: Clock | null;
  /** Its stages end earlier than the big clock at the top says. */
  hasOwnClock: boolean;
  isSealed: boolean;
  allowsAutomatic: boolean;
  /** Whether the price of a rank may be asked for, where prices are shown. */
  tellsPriceForRank: boolean;
  /** Its short name. */
  label(): string;
  /** Before it begins. */
  before(): string;
  /** What goes on. */
  title(room: Room, words: Words): string;
  note(room: Room): string;
  /** A bid that is not published yet: what to say with one, and without; null where bids stand at once. */
  kept: ((price: string) => Lines) | null;
  /** Why nothing can be bid while the auction is open; null while something can. */
  standstill(room: Room, words: Words): Lines | null;
  /** What to say at the end to who named no price; null for the usual. */
  missed(room: Room, words: Words): Lines | null;
  /** How many are still in, for the buyer; null where nobody drops out. */
  stillIn: ((count: number, known: number) => string) | null;
}
