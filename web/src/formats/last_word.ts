/* Last word: the bidder who accepted on a clock may answer. */

import { _ } from "../texts";
import type { Format } from "./format";
import { PLAIN, waitsForLastWord } from "./plain";

const lastWord: Format = {
  ...PLAIN,
  name: "last_word",
  label: () => _("Last word"),
  note: (room) => (room.state === "scheduled" ? "" : _("Only the bidder who accepted on the clock may answer now.")),
  kept: (price) => [
    _("Your last word: %(price)s. It counts at the end of this phase.", { price }),
    _("Your last word counts at the end of this phase; until then you may change it."),
  ],
  standstill(room) {
    const others = room.you.turn ? null : [_("The bids are in"), _("The bidder who accepted on the clock may answer now.")] as [string, string];
    return waitsForLastWord(room) ?? others;
  },
};

export default lastWord;
