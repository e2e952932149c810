// The time line of a recording: the curve of its rate, and where it stands; drag to go elsewhere.

import { clock, element } from "./dom.js";

const HEIGHT = 36;

export class Timeline {
  constructor(show) {
    this.show = show;
    this.curve = element("canvas", { height: HEIGHT, "aria-hidden": "true" });
    this.hand = element("div", { class: "hand" });
    this.root = element(
      "div", { class: "timeline", role: "slider", tabindex: "0", "aria-label": "Time line" }, this.curve, this.hand,
    );
    this.told = null;
    this.wanted = null; // a time to go to, as soon as the last one has been drawn
    this.going = null;
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.root);
  }

  get first() {
    return this.show.about.first_us ?? 0;
  }

  get last() {
    return this.show.about.last_us ?? Math.max(this.show.state.time_us, this.first + 1);
  }

  renew() {
    this.root.setAttribute("aria-valuemin", this.first);
    this.root.setAttribute("aria-valuemax", this.last);
    this.draw();
  }

  rates(message) {
    this.told = message;
    this.draw();
  }

  /** The picture stands at this time. */
  moved(timeUs) {
    const shown = this.held ? (this.wanted ?? this.going ?? timeUs) : timeUs;
    const share = (shown - this.first) / (this.last - this.first);
    this.hand.style.left = `${100 * Math.min(Math.max(share, 0), 1)}%`;
    this.root.setAttribute("aria-valuenow", Math.round(timeUs));
    this.root.setAttribute("aria-valuetext", clock(timeUs - this.first, 3));
  }

  /** What was wanted has been drawn. */
  arrived() {
    if (this.going === null) return;
    this.going = null;
    if (this.wanted !== null) this.go(this.wanted);
  }

  /** Go to a time; while the way there takes, only the last wish is kept. */
  go(timeUs) {
    const within = Math.min(Math.max(timeUs, this.first), this.last);
    if (this.going !== null) {
      this.wanted = within;
      return;
    }
    this.wanted = null;
    this.going = within;
    this.show.seek(within);
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.arrived(), 1000);
  }

  /** Go to the beginning or to the end. */
  end(which) {
    this.go(which === 0 ? this.first : this.last);
  }

  listen() {
    const { root } = this;
    const at = (event) => {
      const box = root.getBoundingClientRect();
      return this.first + ((event.clientX - box.left) / box.width) * (this.last - this.first);
    };
    root.addEventListener("pointerdown", (event) => {
      root.setPointerCapture(event.pointerId);
      this.held = true;
      this.go(at(event));
    });
    root.addEventListener("pointermove", (event) => {
      root.title = clock(at(event) - this.first, 3);
      if (this.held) this.go(at(event));
    });
    const release = () => {
      this.held = false;
    };
    root.addEventListener("pointerup", release);
    root.addEventListener("pointercancel", release);
  }

  draw() {
    const { curve, told } = this;
    const width = Math.max(Math.round(this.root.clientWidth), 1);
    curve.width = width;
    if (told === null || told.counts.length === 0) return;
    const context = curve.getContext("2d");
    const perPixel = (this.last - this.first) / width;
    const most = Math.max(...told.counts, 1);
    context.fillStyle = getComputedStyle(this.root).color;
    for (let x = 0; x < width; x++) {
      const from = Math.floor((this.first + x * perPixel - told.start_us) / told.step_us);
      const to = Math.max(Math.floor((this.first + (x + 1) * perPixel - told.start_us) / told.step_us), from + 1);
      let peak = 0;
      for (let k = Math.max(from, 0); k < Math.min(to, told.counts.length); k++) peak = Math.max(peak, told.counts[k]);
      const height = peak ? Math.max((peak / most) * (HEIGHT - 2), 1) : 0;
      context.fillRect(x, HEIGHT - height, 1, height);
    }
  }
}
