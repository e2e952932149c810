// One source: takes its pieces, draws them, gives the server credit for more.

import { Card } from "./card.js";
import { Results } from "./models.js";
import { Pixels } from "./pixels.js";
import { Settings } from "./settings.js";
import { download } from "./dom.js";
import { unpacked } from "./wire.js";

const IN_FLIGHT = 4; // what the server gives at most: a way there and back may take 66 ms at 60 a second
const HISTORY = 240; // figures that are kept for the curve over time

export class Show {
  /** `page` has `send(message)`, `select(show)`, `tell(text, kind)` and `wake()`. */
  constructor(about, page) {
    this.page = page;
    this.about = about;
    this.id = about.id;
    this.settings = new Settings();
    this.state = { state: "playing", time_us: 0, speed: 1, error: null, recording: null };
    this.stats = null;
    this.history = [];
    this.results = new Results(this);
    this.pixels = null;
    this.back = null; // the last picture, if the source has some
    this.timeUs = null; // of what is drawn
    this.drawn = 0; // pieces, ever
    this.rate = 0; // pieces drawn in a second
    this.undrawn = [];
    this.queue = Promise.resolve();
    this.dirty = false;
    this.card = new Card(this);
    this.stage = this.card.stage;
    this.adjust();
    this.renew(about);
  }

  /** The server is new, or tells anew what it shows. */
  renew(about) {
    this.about = about;
    this.card.renew();
  }

  /** Let the server send. */
  begin() {
    this.undrawn = [];
    this.send("credit", { seq: 0, count: IN_FLIGHT });
    for (const [model, everyUs] of this.results.asked) this.send("run", { model, on: true, every_us: everyUs });
  }

  send(type, rest = {}) {
    this.page.send({ type, show: this.id, ...rest });
  }

  /** Take a piece; those that have to be inflated keep their places in the line. */
  take(piece) {
    this.queue = this.queue.then(async () => {
      try {
        this.accept(await unpacked(piece));
      } catch (error) {
        this.page.tell(`${this.about.name}: ${error.message}`, "problem");
        this.send("credit", { seq: piece.seq, count: 1 });
      }
    });
  }

  accept(piece) {
    const { width, height } = piece;
    if (!this.pixels || this.pixels.width !== width || this.pixels.height !== height) {
      this.pixels = new Pixels(width, height);
      this.pixels.look(this.settings.look);
      this.back = null;
      this.stage.size(width, height);
    }
    if (piece.jump || (piece.words && piece.start < this.pixels.now)) this.pixels.clear(this.settings.look);
    if (piece.words) this.pixels.add(piece);
    else this.back = piece;
    this.timeUs = piece.stop;
    this.undrawn.push(piece.seq);
    this.redraw();
  }

  redraw() {
    this.dirty = true;
    this.page.wake();
  }

  /** Draw what has come, and let the server send as much again. */
  draw() {
    this.dirty = false;
    if (this.pixels === null) return;
    this.paint();
    this.stage.put();
    const count = this.undrawn.length;
    if (count > 0) this.send("credit", { seq: this.undrawn.at(-1), count });
    this.undrawn = [];
    if (count > 0) this.drawn += 1;
    this.card.timeline?.arrived();
    this.card.moved();
    this.results.over(this.stage, this.timeUs);
  }

  paint() {
    const { pixels, back, stage } = this;
    if (back) stage.picture(back.pixels, back.channels);
    if (pixels.now === null) return;
    if (back === null) pixels.paint(this.table, stage.pixels);
    else this.paintOver(stage.pixels);
  }

  /** Paint the events over the picture: the ground is clear. */
  paintOver(out) {
    const over = new Uint32Array(out.length);
    this.pixels.paint(this.table, over);
    const ground = this.table[2 * 16384];
    for (let i = 0; i < out.length; i++) if (over[i] !== ground) out[i] = over[i];
  }

  /** Draw in another way: the settings have changed. */
  adjust() {
    this.table = this.settings.table;
    this.pixels?.look(this.settings.look);
    this.redraw();
  }

  // -- what the server says --

  told(message) {
    if (message.type === "state") {
      this.state = message;
      this.card.stood();
    } else if (message.type === "stats") this.figures(message);
    else if (message.type === "rates") this.card.timeline?.rates(message);
    else if (message.type === "result") this.results.take(message);
  }

  figures(stats) {
    this.stats = stats;
    this.history.push(stats.rate_hz);
    if (this.history.length > HISTORY) this.history.shift();
    this.card.figures();
  }

  // -- what a person wants --

  get playing() {
    return this.state.state === "playing";
  }

  toggle() {
    this.send(this.playing ? "pause" : "play");
  }

  seek(timeUs) {
    this.send("seek", { time_us: Math.round(timeUs), window_us: this.settings.reachUs });
  }

  step(direction, times = 1) {
    const durationUs = Math.round(this.settings.span * times);
    this.send("step", { direction, duration_us: durationUs, window_us: this.settings.reachUs });
  }

  speed(value) {
    this.send("speed", { value });
  }

  record() {
    this.send("record", { on: this.state.recording === null });
  }

  snapshot() {
    const name = `${this.about.name.replace(/[^\w.-]+/g, "_")}-${Math.round(this.timeUs ?? 0)}us.png`;
    this.stage.canvas.toBlob((blob) => download(blob, name), "image/png");
  }
}
