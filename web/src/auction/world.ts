/* The browser as the live client sees it. */

import type { Socket, World } from "../live/client";

export function browserWorld(path: string): World {
  const url = new URL(path, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return {
    connect: () => new WebSocket(url, "marketplace.v1") as unknown as Socket,
    later: (task, delayMs) => window.setTimeout(task, delayMs),
    never: (timer) => window.clearTimeout(timer),
    random: () => Math.random(),
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    newCid,
  };
}

/** Unguessable is not needed, unique is; randomUUID is missing on plain http outside of localhost. */
export function newCid(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
