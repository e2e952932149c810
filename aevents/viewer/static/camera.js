// What can be set of a camera: its biases, and the region that sends.

import { element, say } from "./dom.js";

const PATIENCE_MS = 80; // between two settings, while a slider is dragged

/** A slider with its name and its value. */
export function slider(label, attributes, text, oninput) {
  const output = element("output");
  const input = element("input", {
    type: "range", "aria-label": label, ...attributes,
    oninput: () => {
      oninput(Number(input.value));
      show();
    },
  });
  const show = () => {
    const words = text(Number(input.value));
    say(output, words);
    input.setAttribute("aria-valuetext", words);
  };
  const root = element("label", { class: "slider" }, element("span", {}, label), output, input);
  show();
  return {
    root, input,
    set(value) {
      input.value = String(value);
      show();
    },
  };
}

export class Camera {
  constructor(show) {
    this.show = show;
    this.knobs = new Map();
    this.root = element("div", {}, ...this.biases(), ...(show.about.roi ? this.region() : []));
  }

  /** The server says what is set. */
  renew() {
    for (const [name, { value }] of Object.entries(this.show.about.biases)) {
      const knob = this.knobs.get(name);
      if (knob && knob.input !== document.activeElement) knob.set(value);
    }
  }

  biases() {
    return Object.entries(this.show.about.biases).map(([name, { value, min, max }]) => {
      const send = seldom((chosen) => this.show.send("set_bias", { name, value: chosen }));
      const knob = slider(name, { min, max, step: 1, value }, String, send);
      this.knobs.set(name, knob);
      return knob.root;
    });
  }

  region() {
    const { width, height } = this.show.about;
    const whole = { x: 0, y: 0, width, height };
    this.chosen = whole;
    const send = seldom(() => this.show.send("set_roi", this.chosen));
    const parts = [["x", width - 1, "left"], ["y", height - 1, "top"], ["width", width, "width"], ["height", height, "height"]];
    const sliders = parts.map(([part, max, label]) =>
      slider(`Region: ${label}`, { min: part.length > 1 ? 1 : 0, max, step: 1, value: whole[part] }, String, (value) => {
        this.chosen = fitted({ ...this.chosen, [part]: value }, width, height);
        this.show.stage.outline(this.chosen);
        send();
      }),
    );
    const take = (rectangle) => {
      this.chosen = rectangle;
      parts.forEach(([part], k) => sliders[k].set(rectangle[part]));
      send();
    };
    const choose = () => {
      this.show.stage.onregion = take;
      this.show.stage.tell("draw a rectangle");
    };
    return [
      ...sliders.map(({ root }) => root),
      element(
        "div", { class: "row" },
        element("button", { type: "button", onclick: choose }, "Draw region"),
        element("button", { type: "button", onclick: () => take(whole) }, "Whole sensor"),
      ),
    ];
  }
}

function fitted({ x, y, width, height }, most, highest) {
  return { x, y, width: Math.min(width, most - x), height: Math.min(height, highest - y) };
}

/** Return a function that calls another one at once, then not too often, and with the last value. */
function seldom(call) {
  let waiting = null;
  let last = [];
  const later = () => {
    waiting = last === null ? null : setTimeout(later, PATIENCE_MS);
    if (last !== null) call(...last);
    last = null;
  };
  return (...values) => {
    last = values;
    if (waiting === null) later();
  };
}
