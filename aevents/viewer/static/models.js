// What models say of a source: a tab for each, over the frame that it belongs to.

import { table } from "./colours.js";
import { clock, download, drawn, duration, element, say } from "./dom.js";

const KEPT = 2000; // results of a model, for who saves them
const SHOWN = 12;
const LATE_MS = 1000; // a model may think so long before its answer is too old for what is drawn

/** The results of one source. */
export class Results {
  constructor(show) {
    this.show = show;
    this.said = new Map(); // by model: results, the oldest first
    this.asked = new Map(); // models that run, and how often
    this.tabs = null; // where they are shown, while this source is chosen
    this.marked = null;
    this.stopped = new Map(); // when this page has stopped a model
  }

  take(result) {
    const all = this.said.get(result.model) ?? [];
    this.notice(result);
    all.push(result);
    if (all.length > KEPT) all.shift();
    this.said.set(result.model, all);
    this.tabs?.told(result);
    this.show.redraw();
  }

  /** A model that says something runs, though another page may have started it. */
  notice({ model, start_us, stop_us }) {
    if (this.asked.has(model) || performance.now() < (this.stopped.get(model) ?? 0) + LATE_MS) return;
    this.asked.set(model, stop_us - start_us);
    this.tabs?.stand();
  }

  /** Lay over the picture what is the newest of each running model, and not of a later time. */
  over(stage, timeUs) {
    const running = [...this.asked.keys()].map((model) => this.said.get(model) ?? []);
    const newest = running.map((all) => all.findLast(({ start_us }) => start_us < timeUs));
    const seen = newest.filter((result) => result && this.near(result, timeUs));
    const key = `${stage.scale} ${seen.map(({ model, stop_us }) => `${model} ${stop_us}`).join()}`;
    if (key === this.marked || stage.onregion) return;
    this.marked = key;
    stage.mark(seen.flatMap(({ boxes }) => boxes), seen.flatMap(({ labels }) => labels));
  }

  /** Whether a result belongs to what is drawn: of a standing picture, exactly. */
  near({ model, stop_us }, timeUs) {
    const late = this.show.playing ? 2 * this.asked.get(model) + 1000 * LATE_MS : 0;
    return timeUs <= stop_us + late;
  }

  ask(model, on, everyUs) {
    if (on) this.asked.set(model, everyUs);
    else this.asked.delete(model);
    if (!on) this.stopped.set(model, performance.now());
    this.marked = null;
    this.show.send("run", { model, on, every_us: everyUs });
    this.show.redraw();
  }
}

/** The tabs of the models of the source that is chosen. */
export class Models {
  constructor(show) {
    this.show = show;
    this.chosen = show.about.models[0];
    this.list = element("div", { role: "tablist", "aria-label": "Models", class: "tabs" });
    this.run = element("button", { type: "button", onclick: () => this.toggle() });
    this.every = element("input", {
      type: "number", min: 10, max: 60_000, step: 10, value: 100, "aria-label": "Ask every so many milliseconds",
      onchange: () => this.show.results.asked.has(this.chosen) && this.ask(true),
    });
    this.frame = element("canvas", { role: "img", "aria-label": "The frame that the result belongs to", width: 1, height: 1 });
    this.boxes = drawn("svg", { class: "overlay", "aria-hidden": "true" });
    this.said = element("p", { class: "said" });
    this.rows = element("ol", { class: "results", "aria-label": "Results" });
    const save = element("button", { type: "button", onclick: () => this.save() }, "Save results");
    this.body = element(
      "div", { role: "tabpanel", class: "model" },
      element("div", { class: "row" }, this.run, element("label", {}, "every ", this.every, " ms"), save),
      element("div", { class: "frame" }, this.frame, this.boxes), this.said, this.rows,
    );
    this.root = element("div", {}, this.list, this.body);
    show.results.tabs = this;
    this.choose(this.chosen);
  }

  choose(model) {
    this.chosen = model;
    const tabs = this.show.about.models.map((name) =>
      element("button", {
        type: "button", role: "tab", "aria-selected": String(name === model), onclick: () => this.choose(name),
      }, name),
    );
    this.list.replaceChildren(...tabs);
    const everyUs = this.show.results.asked.get(model);
    if (everyUs) this.every.value = everyUs / 1000;
    this.rows.replaceChildren();
    say(this.said, "");
    this.stand();
    for (const result of (this.show.results.said.get(model) ?? []).slice(-SHOWN)) this.told(result);
  }

  stand() {
    const running = this.show.results.asked.has(this.chosen);
    say(this.run, running ? "Stop" : "Start");
    this.run.setAttribute("aria-pressed", String(running));
  }

  toggle() {
    this.ask(!this.show.results.asked.has(this.chosen));
  }

  ask(on) {
    this.show.results.ask(this.chosen, on, Math.max(Number(this.every.value) || 100, 1) * 1000);
    this.stand();
  }

  told(result) {
    if (result.model !== this.chosen) return;
    const origin = this.show.about.live ? 0 : (this.show.about.first_us ?? 0);
    const text = result.error ?? asText(result);
    const time = element("time", {}, clock(result.stop_us - origin, 3));
    this.rows.prepend(element("li", { class: result.error ? "problem" : null }, time, ` ${text}`));
    while (this.rows.childElementCount > SHOWN) this.rows.lastChild.remove();
    const skipped = result.skipped ? `, ${result.skipped} skipped` : "";
    say(this.said, `took ${duration(result.latency_us)}${skipped}`);
    this.picture(result);
  }

  /** Draw the frame that the result belongs to, of the events that the page still has. */
  picture(result) {
    const { pixels, settings } = this.show;
    if (pixels === null) return;
    const { width, height } = pixels;
    if (this.frame.width !== width || this.frame.height !== height) {
      [this.frame.width, this.frame.height] = [width, height];
      this.boxes.setAttribute("viewBox", `0 0 ${width} ${height}`);
    }
    const context = this.frame.getContext("2d", { alpha: false });
    const image = context.createImageData(width, height);
    const colours = table("polarity", settings.map, settings.full);
    pixels.between(result.start_us, result.stop_us).paint(colours, new Uint32Array(image.data.buffer));
    context.putImageData(image, 0, 0);
    const shapes = result.boxes.map((box) =>
      drawn("rect", { x: box.x, y: box.y, width: box.width, height: box.height, class: "box" }),
    );
    this.boxes.replaceChildren(...shapes);
  }

  /** Hand over all that this model said, as JSON lines. */
  save() {
    const all = this.show.results.said.get(this.chosen) ?? [];
    const lines = all.map((result) => `${JSON.stringify(result)}\n`);
    download(new Blob(lines, { type: "application/jsonl" }), `${this.chosen.replace(/[^\w.-]+/g, "_")}.jsonl`);
  }
}

function asText({ value, boxes, labels }) {
  const words = labels.join(", ") || boxes.map(({ label }) => label).filter(Boolean).join(", ");
  if (words) return words;
  return typeof value === "string" ? value : JSON.stringify(value).slice(0, 200);
}
