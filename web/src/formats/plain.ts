/* The simplest auction: what formats have in common. */

import type { Room } from "../live/room";
import { _ } from "../texts";
import type { Format, Lines } from "./format";

export const PLAIN: Format = {
  name: "",
  isDefault: false,
  clock: null,
  hasOwnClock: false,
  isSealed: false,
  allowsAutomatic: false,
  tellsPriceForRank: false,
  label: () => "",
  before() {
    return this.label();
  },
  title() {
    return this.label();
  },
  note: () => "",
  kept: null,
  standstill: (room) => waitsForLastWord(room),
  missed: () => null,
  stillIn: null,
};

/** Who accepted on a clock waits until the others have bid. */
export function waitsForLastWord(room: Room): Lines | null {
  return room.you.last_word ? [_("You have the last word"), _("The others bid below your price now; then you may answer.")] : null;
}
