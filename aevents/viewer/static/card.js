// How one source stands on the page: its name, picture, buttons, time line and figures.

import { button, clock, duration, element, icon, say, short } from "./dom.js";
import { Stage } from "./stage.js";
import { Timeline } from "./timeline.js";

export const SPEEDS = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 100];
const TIME_MS = 66;
const STATES = { playing: "playing", paused: "paused", ended: "at its end", failed: "failed" };

export class Card {
  constructor(show) {
    this.show = show;
    this.stage = new Stage(show.about.name);
    this.name = element("h2");
    this.chip = element("span", { class: "chip" });
    this.size = element("span", { class: "muted" });
    this.closer = button("close", "Close", null, () => show.page.send({ type: "close", show: show.id }));
    this.bar = element("div", { class: "bar", role: "toolbar", "aria-label": "Playing" });
    this.line = element("p", { class: "figures" });
    this.root = element(
      "section", { class: "card", onpointerdown: () => show.page.select(show), onfocusin: () => show.page.select(show) },
      element("div", { class: "title" }, this.name, this.chip, this.size, this.closer),
      this.stage.root, this.bar, this.line,
    );
    this.timeline = null;
    this.next = 0; // when the time is shown again
  }

  /** Show what the server says of the source. */
  renew() {
    const { about } = this.show;
    say(this.name, about.name);
    this.name.title = about.url;
    this.root.setAttribute("aria-label", about.name);
    say(this.size, about.width ? `${about.width} × ${about.height}` : "");
    if (about.width && this.show.pixels === null) this.stage.size(about.width, about.height);
    this.closer.hidden = about.live || !this.show.page.several;
    const kind = JSON.stringify([about.live, about.seekable, about.record]);
    if (kind !== this.kind) this.furnish();
    this.kind = kind;
    this.timeline?.renew(about);
    this.stood();
  }

  /** Make the buttons that this source needs. */
  furnish() {
    const { show } = this;
    const { seekable, live, record } = show.about;
    this.play = button("pause", "Pause", "space", () => show.toggle());
    this.time = element("output", { class: "time", "aria-label": "Time" });
    this.recorder = record ? button("record", "Record", "r", () => show.record()) : null;
    this.recorder?.classList.add("recorder");
    this.timeline = seekable ? new Timeline(show) : null;
    this.speeds = live ? null : this.speedChooser();
    const stepping = seekable
      ? [
          button("first", "To the beginning", "Home", () => this.timeline.end(0)),
          button("back", "Step back", "←", () => show.step(-1)),
          this.play,
          button("forward", "Step forward", "→", () => show.step(1)),
        ]
      : [this.play];
    this.bar.replaceChildren(
      ...stepping, this.time, ...(this.timeline ? [this.timeline.root] : [element("span", { class: "space" })]),
      ...[this.speeds, this.recorder].filter(Boolean),
      button("camera", "Snapshot", "s", () => show.snapshot()),
      button("fit", "Whole picture", "0", () => this.stage.reset()),
    );
  }

  speedChooser() {
    const options = SPEEDS.map((value) => element("option", { value }, `${value}×`));
    return element(
      "select",
      { "aria-label": "Speed", title: "Speed (, and .)", onchange: ({ target }) => this.show.speed(Number(target.value)) },
      ...options,
    );
  }

  /** Show how the source stands. */
  stood() {
    const { state, about } = this.show;
    this.root.dataset.state = state.state;
    const word = about.live && state.state === "playing" ? "live" : STATES[state.state];
    say(this.chip, state.recording ? `${word}, recording` : word);
    const label = this.show.playing ? "Pause" : "Play";
    if (this.play.getAttribute("aria-label") !== label) {
      this.play.replaceChildren(icon(label.toLowerCase()));
      this.play.setAttribute("aria-label", label);
      this.play.title = `${label} (space)`;
    }
    this.recorder?.setAttribute("aria-pressed", String(state.recording !== null));
    if (this.recorder) this.recorder.title = state.recording ? `Stop recording ${state.recording} (r)` : "Record (r)";
    if (this.speeds) this.choose(state.speed);
    this.explain();
    this.moved();
  }

  choose(speed) {
    const { options } = this.speeds;
    if (![...options].some(({ value }) => Number(value) === speed)) {
      this.speeds.add(element("option", { value: speed }, `${speed}×`));
    }
    this.speeds.value = String(speed);
  }

  /** Say over the picture what a person must know. */
  explain() {
    const { about, state, timeUs } = this.show;
    const broken = about.live ? "This source is gone, or does not answer." : "This recording cannot be read.";
    if (state.error) this.stage.tell(broken, state.error, () => this.show.send("play"));
    else if (timeUs === null) this.stage.tell(state.state === "playing" ? "waiting for events" : "");
    else this.stage.tell("");
  }

  /** Show the time of what is drawn; while it runs, not so often that it costs. */
  moved() {
    const { about, timeUs, state } = this.show;
    if (this.show.playing && performance.now() < this.next) return;
    this.next = performance.now() + TIME_MS;
    const now = timeUs ?? state.time_us;
    say(this.time, clock(now - (about.live ? 0 : about.first_us ?? 0), about.live ? 1 : 6));
    this.timeline?.moved(now);
    if (timeUs !== null && !this.stage.words.hidden && !state.error && !this.stage.onregion) this.stage.tell("");
  }

  /** Show the figures in one line. */
  figures() {
    const { stats, rate } = this.show;
    const all = stats.on + stats.off;
    const lost = Object.values(stats.drops).reduce((sum, count) => sum + count, 0);
    const parts = [
      `${short(stats.rate_hz)}ev/s`,
      all ? `ON ${Math.round((100 * stats.on) / all)} %` : null,
      `${Math.round(rate)} fps`,
      stats.age_ms === null ? null : `age ${duration(1000 * stats.age_ms)}`,
      lost ? `${short(lost).trim()} lost` : null,
      stats.skipped ? `${short(stats.skipped).trim()} skipped here` : null,
    ];
    say(this.line, parts.filter(Boolean).join("  ·  "));
    this.root.dataset.lost = lost > 0;
  }
}
