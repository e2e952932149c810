// The picture of one source: a canvas of the sensor's size, what lies over it, zoom and pan.

import { drawn, element, say } from "./dom.js";

const MOST_ZOOM = 64;
const LETTERS = 13; // of the labels in the picture, in pixels of the screen

export class Stage {
  constructor(name) {
    this.canvas = element("canvas", { role: "img", "aria-label": `Picture of ${name}`, width: 1, height: 1 });
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.overlay = drawn("svg", { class: "overlay", "aria-hidden": "true" });
    this.sheet = element("div", { class: "sheet" }, this.canvas, this.overlay);
    this.text = element("p");
    this.detail = element("p", { class: "detail" });
    this.again = element("button", { type: "button" }, "Try again");
    this.words = element("div", { class: "words", role: "status" }, this.text, this.detail, this.again);
    this.where = element("p", { class: "where", "aria-hidden": "true" });
    this.root = element("div", { class: "stage" }, this.sheet, this.words, this.where);
    this.zoom = 1;
    this.centre = [0.5, 0.5]; // of the sensor, in the middle of the stage
    this.onregion = null; // called with a rectangle in pixels while one is to be drawn
    this.onfit = () => {};
    this.size(1, 1);
    this.sheet.hidden = true;
    new ResizeObserver(() => this.place()).observe(this.root);
    this.listen();
  }

  /** Make room for pictures of so many pixels. */
  size(width, height) {
    this.width = width;
    this.height = height;
    this.canvas.width = width;
    this.canvas.height = height;
    this.image = this.context.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.sheet.hidden = false;
    this.sheet.style.width = `${width}px`;
    this.sheet.style.height = `${height}px`;
    this.root.style.setProperty("--ratio", `${width} / ${height}`);
    this.place();
  }

  /** Show the pixels. */
  put() {
    this.context.putImageData(this.image, 0, 0);
  }

  /** Show a picture of 1 or 3 channels. */
  picture(bytes, channels) {
    const { pixels } = this;
    for (let i = 0; i < pixels.length; i++) {
      const at = i * channels;
      const [red, green, blue] = channels === 1 ? [at, at, at] : [at, at + 1, at + 2];
      pixels[i] = (0xff000000 | (bytes[blue] << 16) | (bytes[green] << 8) | bytes[red]) >>> 0;
    }
  }

  /** Say something over the picture; nothing: take it away. After a problem one can try `again`. */
  tell(text, detail = "", again = null) {
    say(this.text, text);
    say(this.detail, detail);
    this.words.hidden = text === "";
    this.words.classList.toggle("problem", again !== null);
    this.again.hidden = again === null;
    this.again.onclick = again;
  }

  /** Lay boxes over the picture, and labels into its corner. */
  mark(boxes, labels) {
    const shapes = boxes.map(({ x, y, width, height }) => drawn("rect", { x, y, width, height, class: "box" }));
    const size = LETTERS / this.scale;
    const texts = boxes.map((box) => {
      const y = box.y > 1.5 * size ? box.y - 0.35 * size : box.y + 1.1 * size;
      return drawn("text", { x: box.x, y }, titled(box));
    });
    const list = labels.map((label, k) => drawn("text", { x: 0.6 * size, y: (1.4 + 1.25 * k) * size }, label));
    this.overlay.replaceChildren(...shapes, ...texts, ...list);
  }

  /** Put the picture where it belongs. */
  place() {
    const { clientWidth, clientHeight } = this.root;
    const fitting = Math.min(clientWidth / this.width, clientHeight / this.height) || 1;
    const scale = fitting * this.zoom;
    this.scale = scale; // kept, as asking for sizes costs a layout
    const [x, y] = this.centre;
    const [left, top] = [clientWidth / 2 - x * this.width * scale, clientHeight / 2 - y * this.height * scale];
    this.sheet.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
    this.overlay.style.strokeWidth = 2 / scale;
    this.overlay.style.fontSize = `${LETTERS / scale}px`;
    this.canvas.classList.toggle("fine", scale * devicePixelRatio < 1);
    this.root.classList.toggle("zoomed", this.zoom > 1);
    this.onfit(this.zoom);
  }

  /** Zoom by a factor; the place at `(x, y)` of the window stays where it is. */
  zoomBy(factor, x = null, y = null) {
    const box = this.root.getBoundingClientRect();
    const [right, down] = x === null ? [0, 0] : [x - box.left - box.width / 2, y - box.top - box.height / 2];
    const zoom = Math.min(Math.max(this.zoom * factor, 1), MOST_ZOOM);
    const change = (1 - this.zoom / zoom) / this.scale;
    this.zoom = zoom;
    this.moveTo(this.centre[0] + (right * change) / this.width, this.centre[1] + (down * change) / this.height);
  }

  moveTo(x, y) {
    const within = (value) => (this.zoom === 1 ? 0.5 : Math.min(Math.max(value, 0), 1));
    this.centre = [within(x), within(y)];
    this.place();
  }

  reset() {
    this.zoom = 1;
    this.moveTo(0.5, 0.5);
  }

  /** Return the pixel of the sensor at a place of the window. */
  pixelAt(x, y) {
    const box = this.sheet.getBoundingClientRect();
    return [Math.floor((x - box.left) / this.scale), Math.floor((y - box.top) / this.scale)];
  }

  listen() {
    const { root } = this;
    const held = new Map(); // pointers that are down, with where they are
    root.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
    }, { passive: false });
    root.addEventListener("dblclick", () => this.reset());
    root.addEventListener("pointerdown", (event) => {
      held.set(event.pointerId, [event.clientX, event.clientY]);
      if (this.onregion) this.from = this.pixelAt(event.clientX, event.clientY);
      if (this.onregion || this.zoom > 1) root.setPointerCapture(event.pointerId);
    });
    root.addEventListener("pointermove", (event) => {
      this.show(event);
      if (!held.has(event.pointerId)) return;
      if (this.onregion) this.outline(this.region(event));
      else this.drag(held, event);
    });
    const release = (event) => {
      if (held.delete(event.pointerId) && this.onregion && this.from) this.choose(event);
    };
    root.addEventListener("pointerup", release);
    root.addEventListener("pointercancel", (event) => held.delete(event.pointerId));
    root.addEventListener("pointerleave", () => say(this.where, ""));
  }

  /** Move the picture with one pointer, zoom it with two. */
  drag(held, event) {
    const before = [...held.values()];
    const [x, y] = held.get(event.pointerId);
    held.set(event.pointerId, [event.clientX, event.clientY]);
    const after = [...held.values()];
    if (after.length === 2) {
      const [[middleX, middleY], apart] = between(after);
      this.zoomBy(apart / Math.max(between(before)[1], 1), middleX, middleY);
    }
    const share = 1 / (held.size * this.scale);
    const [right, down] = [(event.clientX - x) * share, (event.clientY - y) * share];
    this.moveTo(this.centre[0] - right / this.width, this.centre[1] - down / this.height);
  }

  show(event) {
    const [x, y] = this.pixelAt(event.clientX, event.clientY);
    const inside = x >= 0 && y >= 0 && x < this.width && y < this.height;
    say(this.where, inside ? `x ${x}  y ${y}` : "");
  }

  /** Return the rectangle between where a pointer went down and where it is. */
  region(event) {
    const limits = [this.width - 1, this.height - 1];
    const ends = [this.from, this.pixelAt(event.clientX, event.clientY)].map((place) =>
      place.map((value, k) => Math.min(Math.max(value, 0), limits[k])),
    );
    const [left, top] = [0, 1].map((k) => Math.min(ends[0][k], ends[1][k]));
    const [right, bottom] = [0, 1].map((k) => Math.max(ends[0][k], ends[1][k]));
    return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
  }

  outline({ x, y, width, height }) {
    this.overlay.replaceChildren(drawn("rect", { x, y, width, height, class: "region" }));
  }

  choose(event) {
    const chosen = this.onregion;
    this.onregion = null;
    chosen(this.region(event));
    this.overlay.replaceChildren();
  }
}

function titled({ label, score }) {
  return [label, score === null || score === undefined ? "" : score.toFixed(2)].filter(Boolean).join(" ");
}

function between([[x, y], [otherX, otherY]]) {
  return [[(x + otherX) / 2, (y + otherY) / 2], Math.hypot(x - otherX, y - otherY)];
}
