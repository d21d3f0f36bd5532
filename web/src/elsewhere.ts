/* An auction in another tab is lost right now: every open page of this browser says so. */

import { countdown } from "./live/clock";
import { _ } from "./texts";

interface Lost {
  path: string;
  title: string;
  rank: number | null;
  closeAtMs: number | null;
}

export function hearOtherTabs(): void {
  if (typeof BroadcastChannel === "undefined") return;
  new BroadcastChannel("marketplace-auctions").addEventListener("message", ({ data }: MessageEvent<Lost>) => {
    // The room itself shows it in its own band.
    if (data.path === location.pathname) return;
    document.querySelector(`[data-lost="${data.path}"]`)?.remove();
    if (data.rank !== null) document.body.append(strip(data));
  });
}

function strip({ path, title, rank, closeAtMs }: Lost): HTMLElement {
  const box = document.createElement("div");
  box.className = "elsewhere";
  box.dataset.lost = path;
  box.setAttribute("role", "alert");
  const link = document.createElement("a");
  link.href = path;
  // The clock of this device is good enough for a hint; the room shows the server's.
  const left = closeAtMs === null ? "" : ` · ${countdown(Math.max(0, closeAtMs - Date.now()), "seconds")}`;
  link.textContent = `${_("Outbid, now rank %(rank)s", { rank: rank ?? "" })}: ${title}${left}`;
  const away = document.createElement("button");
  away.type = "button";
  away.textContent = "×";
  away.setAttribute("aria-label", _("Dismiss"));
  away.addEventListener("click", () => box.remove());
  box.append(link, away);
  return box;
}
