/* The savings curve: every bidder's price over time as a stair, the lead on top. Floats only for pixels. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { instantMs } from "../live/clock";
import type { Room } from "../live/room";
import { element, locale, money } from "./page";

const HUES = [262, 30, 160, 330, 200, 80, 300, 120, 10, 230, 55, 180];

export class Curve {
  private plot: uPlot | null = null;
  private aliases: string[] = [];
  private drawn = "";

  constructor(private readonly box: HTMLElement) {
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(box);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.rebuild());
    new MutationObserver(() => this.rebuild()).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  }

  draw(room: Room): void {
    const points = pointsOf(room);
    const key = `${points.length}:${points.at(-1)?.seq}`;
    if (points.length === 0 || key === this.drawn) return;
    this.drawn = key;
    const aliases = [...new Set(points.map((point) => point.alias))];
    const data = columns(points, aliases);
    if (this.plot && aliases.length === this.aliases.length) return this.plot.setData(data);
    this.aliases = aliases;
    this.plot?.destroy();
    this.plot = new uPlot(this.options(room), data, this.box);
  }

  /** The colour of a bidder's line; the standing table shows it beside the name. */
  colorOf(alias: string): string {
    const index = this.aliases.indexOf(alias);
    return index < 0 ? "transparent" : hue(index);
  }

  private rebuild(): void {
    this.plot?.redraw(false, true);
  }

  private size(): { width: number; height: number } {
    return { width: this.box.clientWidth, height: this.box.clientHeight };
  }

  private options(room: Room): uPlot.Options {
    const stair = uPlot.paths.stepped?.({ align: 1 });
    const axis = { stroke: () => color("--ink-2"), grid: { stroke: () => color("--line"), width: 1 }, ticks: { show: false }, font: '12px "Inter Variable", system-ui'  };
    const time = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    const short = new Intl.NumberFormat(locale, { notation: "compact", maximumSignificantDigits: 4 });
    const line = (extra: Partial<uPlot.Series>): uPlot.Series => ({ ...(stair ? { paths: stair } : {}), points: { show: false }, spanGaps: true, ...extra });
    return {
      ...this.size(),
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      axes: [
        { ...axis, size: 34, space: 90, values: (_plot, ticks) => ticks.map((tick) => time.format(tick * 1_000)) },
        { ...axis, size: 54, values: (_plot, ticks) => ticks.map((tick) => short.format(tick)) },
      ],
      series: [
        {},
        ...this.aliases.map((alias, index) => line({ label: nameIn(room, alias), stroke: () => hue(index), width: 1.5 })),
        line({ label: "lead", stroke: () => color("--ink"), width: 3 }),
      ],
    };
  }
}

interface Point {
  seq: number;
  atS: number;
  alias: string;
  price: number;
}

function pointsOf(room: Room): Point[] {
  const points: Point[] = [];
  for (const { event, seq, ts } of room.feed) {
    const minor = event.kind === "bid" ? money.minor(event.price) : null;
    if (minor === null) continue;
    points.push({ seq, atS: instantMs(ts) / 1_000, alias: String(event.alias ?? ""), price: Number(money.wire(minor)) });
  }
  return points.reverse();
}

/** uPlot's columns: times, one column for each bidder (empty where that bidder did not bid), and the lead. */
function columns(points: Point[], aliases: string[]): uPlot.AlignedData {
  let lead = Infinity;
  const last = points.length - 1;
  const own = aliases.map((alias) => {
    let standing: number | null = null;
    return points.map((point, index) => {
      if (point.alias === alias) standing = point.price;
      return point.alias === alias || index === last ? standing : null;
    });
  });
  const leads = points.map((point) => (lead = Math.min(lead, point.price)));
  return [points.map((point) => point.atS), ...own, leads] as uPlot.AlignedData;
}

function nameIn(room: Room, alias: string): string {
  return room.standing.find((row) => row.alias === alias)?.organisation ?? alias;
}

function color(name: string): string {
  const probe = element("curve-empty");
  // light-dark() is only resolved on an element; a canvas needs the resolved colour.
  probe.style.setProperty("color", `var(${name})`);
  const resolved = getComputedStyle(probe).color;
  probe.style.removeProperty("color");
  return resolved;
}

// One lightness between the themes: at least 3:1 against the light and the dark surface (WCAG 1.4.11).
function hue(index: number): string {
  return `oklch(0.62 0.14 ${HUES[index % HUES.length]})`;
}
