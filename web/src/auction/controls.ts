/* The buyer's commands over the public API; what comes of them arrives over the live channel like for everyone. */

import { _ } from "../texts";
import { data, element, write } from "./page";
import { newCid } from "./world";

export interface Refusal {
  detail: string;
  code?: string;
  /** What a doubtful price is confirmed with. */
  token?: string;
}

/** Null when it was done, else why not; both are shown beside the controls. */
export async function send(command: string, body: object): Promise<Refusal | null> {
  const said = element("control-answer");
  said.dataset.tone = "wait";
  write("control-answer", _("Sending …"));
  const refused = await post(`/api/v1/auctions/${data.auction_id}/${command}`, body);
  said.dataset.tone = refused === null ? "good" : "bad";
  write("control-answer", refused?.detail ?? _("Done."));
  return refused;
}

async function post(url: string, body: object): Promise<Refusal | null> {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": cookie("csrf_token"), "Idempotency-Key": newCid() };
  try {
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    if (answer.ok) return null;
    const problem = (await answer.json()) as Partial<Refusal> & { title?: string };
    return { ...problem, detail: problem.detail ?? problem.title ?? _("It did not work.") };
  } catch {
    return { detail: _("The server could not be reached. Nothing was changed; try again.") };
  }
}

function cookie(name: string): string {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return decodeURIComponent(found?.slice(name.length + 1) ?? "");
}
