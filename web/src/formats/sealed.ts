/* Sealed: one bid each, opened together. */

import { _ } from "../texts";
import type { Format } from "./format";
import { PLAIN } from "./plain";

const sealed: Format = {
  ...PLAIN,
  name: "sealed",
  isSealed: true,
  label: () => _("Sealed bids"),
  note: (room) => (room.state === "scheduled" ? "" : _("Bids are opened together at the end of this phase.")),
  kept: (price) => [
    _("Sealed: %(price)s. Replaceable until the close; nobody sees it before.", { price }),
    _("Replaceable until the close; nobody sees it before."),
  ],
};

export default sealed;
