// How a source is drawn: a matter of this page alone, kept by the browser from one visit to the next.

import { MAPS, VIEWS, table } from "./colours.js";

const STORE = "aevents.view";
export const POINTS = [1, 2, 3, 4, 6];
export const SHORTEST_US = 1000;
export const LONGEST_US = 1_000_000;
export const MOST_FULL = 32;

export class Settings {
  constructor() {
    this.view = "events";
    this.map = "ice";
    this.point = 1;
    this.full = 2; // events for the full colour, where they are counted
    this.spans = Object.fromEntries(Object.entries(VIEWS).map(([name, view]) => [name, view.spanUs]));
    this.load();
  }

  load() {
    try {
      const { view, map, point, full, spans } = JSON.parse(localStorage.getItem(STORE)) ?? {};
      if (view in VIEWS) this.view = view;
      if (map in MAPS) this.map = map;
      if (POINTS.includes(point)) this.point = point;
      if (full >= 1 && full <= MOST_FULL) this.full = full;
      for (const [name, us] of Object.entries(spans ?? {})) {
        if (name in VIEWS && us >= SHORTEST_US && us <= LONGEST_US) this.spans[name] = us;
      }
    } catch {
      // a store that cannot be read, or says something else, is as good as an empty one
    }
  }

  save() {
    const { view, map, point, full, spans } = this;
    try {
      localStorage.setItem(STORE, JSON.stringify({ view, map, point, full, spans }));
    } catch {
      // this browser keeps nothing
    }
  }

  get span() {
    return this.spans[this.view];
  }

  set span(us) {
    this.spans[this.view] = Math.round(Math.min(Math.max(us, SHORTEST_US), LONGEST_US));
  }

  /** The time that the picture reaches back: what the server is to send with a jump. */
  get reachUs() {
    return Math.min(this.span * VIEWS[this.view].reach, LONGEST_US);
  }

  /** What the pixels have to be kept for. */
  get look() {
    const { counts, reach } = VIEWS[this.view];
    return { counts, spanUs: this.span * reach, point: this.point };
  }

  get table() {
    return table(this.view, this.map, this.full);
  }

  /** Take the next of the maps, or of the points. */
  next(what) {
    const all = what === "map" ? Object.keys(MAPS) : POINTS;
    this[what] = all[(all.indexOf(this[what]) + 1) % all.length];
  }
}
