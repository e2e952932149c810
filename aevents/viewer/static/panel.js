// The side panel: how the chosen source is drawn, its figures, its camera, its models; recordings to open.

import { Camera, slider } from "./camera.js";
import { MAPS, VIEWS, gradient } from "./colours.js";
import { duration, element, say, short } from "./dom.js";
import { Models } from "./models.js";
import { LONGEST_US, MOST_FULL, POINTS, SHORTEST_US } from "./settings.js";

const STEPS = 300; // of the slider of times
const RATIO = LONGEST_US / SHORTEST_US;

export class Panel {
  constructor(root) {
    this.root = root;
    this.show = null;
    this.closed = new Set(); // sections that a person has folded
  }

  /** Show what belongs to this source; null: to none. */
  choose(show, hello) {
    if (this.show) this.show.results.tabs = null;
    this.show = show;
    this.folder = element("div");
    this.root.replaceChildren(...(show ? this.sections() : []), this.folder);
    this.list(hello);
    if (show) this.stand();
    if (show) this.figures();
  }

  /** The server has told anew what there is; what a person just drags stays where it is. */
  renew(hello) {
    if (kindOf(this.show.about) !== this.kind) this.choose(this.show, hello);
    this.camera?.renew();
    this.list(hello);
  }

  sections() {
    const { about } = this.show;
    const adjustable = Object.keys(about.biases).length > 0 || about.roi;
    this.camera = adjustable ? new Camera(this.show) : null;
    this.kind = kindOf(about);
    return [
      this.section("View", this.view()),
      this.section("Figures", this.figuresBox()),
      adjustable ? this.section("Camera", this.camera.root) : null,
      about.models.length ? this.section("Models", new Models(this.show).root) : null,
    ].filter(Boolean);
  }

  section(name, ...children) {
    const made = element("details", { open: !this.closed.has(name) }, element("summary", {}, name), ...children);
    made.addEventListener("toggle", () => (made.open ? this.closed.delete(name) : this.closed.add(name)));
    return made;
  }

  view() {
    const views = Object.entries(VIEWS).map(([name, { name: title, about }], k) =>
      this.choice("view", name, title, `${about} (${k + 1})`, () => this.set((settings) => (settings.view = name))),
    );
    const maps = Object.entries(MAPS).map(([name, { name: title }]) => {
      const made = this.choice("map", name, title, title, () => this.set((settings) => (settings.map = name)));
      const patch = element("span", { class: "patch", "aria-hidden": "true" });
      patch.style.background = gradient(name);
      made.prepend(patch);
      return made;
    });
    const { settings } = this.show;
    this.span = slider("Window", { min: 0, max: STEPS, step: 1 }, (value) => duration(spanOf(value)), (value) =>
      this.set(() => (settings.span = spanOf(value))),
    );
    this.point = slider("Point size", { min: 0, max: POINTS.length - 1, step: 1 }, (value) => `${POINTS[value]} px`, (value) =>
      this.set(() => (settings.point = POINTS[value])),
    );
    this.full = slider("Full colour at", { min: 1, max: MOST_FULL, step: 1 }, (value) => `${value} event${value > 1 ? "s" : ""}`, (value) =>
      this.set(() => (settings.full = value)),
    );
    this.zoom = slider("Zoom", { min: 0, max: 60, step: 1 }, (value) => `${Number(zoomOf(value).toPrecision(3))}×`, (value) =>
      this.show.stage.zoomBy(zoomOf(value) / this.show.stage.zoom),
    );
    this.show.stage.onfit = (zoom) => this.zoom.set(10 * Math.log2(zoom));
    return element(
      "div", {},
      element("div", { class: "views", role: "radiogroup", "aria-label": "View" }, ...views),
      this.span.root, this.full.root, this.point.root, this.zoom.root,
      element("div", { class: "maps", role: "radiogroup", "aria-label": "Colour map" }, ...maps),
    );
  }

  choice(group, value, label, title, onclick) {
    return element("button", { type: "button", role: "radio", "data-group": group, "data-value": value, title, onclick }, label);
  }

  /** Change the settings of the chosen source, and draw it anew. */
  set(change) {
    const { settings } = this.show;
    change(settings);
    settings.save();
    this.show.adjust();
    this.stand();
  }

  /** Show what is set. */
  stand() {
    const { settings, stage } = this.show;
    for (const made of this.root.querySelectorAll("[role=radio]")) {
      made.setAttribute("aria-checked", String(settings[made.dataset.group] === made.dataset.value));
    }
    const { counts, span } = VIEWS[settings.view];
    say(this.span.root.firstChild, span);
    this.span.input.setAttribute("aria-label", span);
    this.span.set(placeOf(settings.span));
    this.point.set(POINTS.indexOf(settings.point));
    this.full.set(settings.full);
    this.full.root.hidden = !counts;
    this.zoom.set(10 * Math.log2(stage.zoom));
  }

  figuresBox() {
    this.curve = element("canvas", { width: 280, height: 64, role: "img", "aria-label": "Rate over time" });
    this.most = element("span", { class: "most" });
    this.share = element("div", { class: "share", role: "img", "aria-label": "ON and OFF" }, element("i"), element("b"));
    this.table = element("dl", { class: "table" });
    return element("div", {}, element("div", { class: "curve" }, this.curve, this.most), this.share, this.table);
  }

  /** Show the figures of the chosen source. */
  figures() {
    const { stats, history, rate, timeUs } = this.show;
    if (stats === null) return;
    this.drawCurve(history);
    const all = stats.on + stats.off;
    const on = all ? stats.on / all : 0.5;
    this.share.firstChild.style.width = `${100 * on}%`;
    const ratio = stats.off ? ` (ON/OFF ${(stats.on / stats.off).toFixed(2)})` : "";
    this.share.setAttribute("aria-label", `ON ${Math.round(100 * on)} %`);
    const drops = Object.entries(stats.drops).filter(([, count]) => count > 0);
    const rows = [
      ["Rate", `${short(stats.rate_hz)}ev/s`],
      ["ON, OFF", all ? `${Math.round(100 * on)} %, ${Math.round(100 * (1 - on))} %${ratio}` : "–"],
      ["Drawn", `${rate.toFixed(1)} fps`],
      ["Frame age", stats.age_ms === null ? "–" : `${stats.age_ms.toFixed(1)} ms`],
      ["Loop lag", `${stats.lag_ms.toFixed(1)} ms`],
      ["Sensor time", timeUs === null ? "–" : `${(timeUs / 1e6).toFixed(6)} s`],
      ["Skipped here", stats.skipped ? `${stats.skipped} pieces, ${short(stats.skipped_events)}ev` : "nothing"],
      ["Browsers", String(stats.clients)],
      ...drops.map(([cause, count]) => [`Lost: ${cause.replaceAll("_", " ")}`, String(count), "problem"]),
      ...(drops.length ? [] : [["Lost", "nothing"]]),
    ];
    const cells = rows.flatMap(([name, value, kind]) => [
      element("dt", { class: kind ?? null }, name), element("dd", { class: kind ?? null }, value),
    ]);
    this.table.replaceChildren(...cells);
  }

  drawCurve(history) {
    const { curve } = this;
    const context = curve.getContext("2d");
    const { width, height } = curve;
    const most = Math.max(...history, 1);
    say(this.most, `up to ${short(most)}ev/s`);
    context.clearRect(0, 0, width, height);
    context.fillStyle = getComputedStyle(curve).color;
    const step = 2;
    const shown = history.slice(-Math.floor(width / step));
    shown.forEach((value, k) => {
      const tall = Math.max((value / most) * (height - 2), value > 0 ? 1 : 0);
      context.fillRect(width - (shown.length - k) * step, height - tall, step, tall);
    });
  }

  /** List the recordings that can be opened. */
  list({ can, folder, shows }) {
    const open = shows.map(({ name }) => name);
    const rows = folder.map((name) =>
      element("li", {}, element("button", { type: "button", disabled: open.includes(name), onclick: () => this.onopen(name) }, name)),
    );
    const some = can.open && rows.length > 0;
    this.folder.replaceChildren(...(some ? [this.section("Recordings", element("ul", { class: "folder" }, ...rows))] : []));
  }
}

function kindOf({ biases, roi, models, width, height }) {
  return JSON.stringify([Object.keys(biases), roi, models, roi && [width, height]]);
}

function spanOf(place) {
  const us = SHORTEST_US * RATIO ** (place / STEPS);
  return Number(us.toPrecision(2));
}

function placeOf(us) {
  return Math.round((STEPS * Math.log(us / SHORTEST_US)) / Math.log(RATIO));
}

function zoomOf(value) {
  return 2 ** (value / 10);
}
