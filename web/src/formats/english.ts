/* English: everybody bids whenever they like. */

import { _ } from "../texts";
import type { Format } from "./format";
import { PLAIN } from "./plain";

const english: Format = {
  ...PLAIN,
  name: "english",
  isDefault: true,
  allowsAutomatic: true,
  tellsPriceForRank: true,
  label: () => _("Open bidding"),
};

export default english;
