// The page: what the server tells goes to its sources, what people want goes to the server.

import { element, icon, say } from "./dom.js";
import { listen } from "./keys.js";
import { Link } from "./link.js";
import { Panel } from "./panel.js";
import { Show } from "./show.js";
import { VERSION } from "./wire.js";

const NOTE_MS = 6000;
const MOST_NOTES = 4;

class Page {
  constructor() {
    this.shows = new Map();
    this.chosen = null;
    this.hello = null;
    this.fresh = true; // the link is: the server has no credit of ours
    this.waking = false;
    this.root = document.getElementById("shows");
    this.notes = document.getElementById("notes");
    this.panel = new Panel(document.getElementById("panel"));
    this.panel.onopen = (name) => this.send({ type: "open", name });
    this.status = document.getElementById("link");
    this.folder = document.getElementById("fold");
    this.folder.append(icon("panel"));
    this.folder.addEventListener("click", () => this.fold());
    const keys = document.getElementById("keys");
    document.getElementById("help").addEventListener("click", () => keys.showModal());
    listen(this, keys);
    this.link = new Link(this);
    this.counted = performance.now();
    setInterval(() => this.count(), 1000);
  }

  // -- what the link says --

  state(name, text) {
    if (name !== "open") this.fresh = true;
    this.status.dataset.state = name;
    document.body.dataset.link = name;
    say(this.status, text);
  }

  piece(piece) {
    this.shows.get(piece.show)?.take(piece);
  }

  message(message) {
    if (message.type === "hello") this.greeted(message);
    else if (message.type === "problem") this.tell(message.text, "problem");
    else if (message.type === "saved") this.tell(`Saved the ${message.what} as ${message.name}`, "saved");
    else this.shows.get(message.show)?.told(message);
  }

  /** The server tells what it shows: at the beginning, and whenever that changes. */
  greeted(hello) {
    if (hello.version !== VERSION) {
      this.state("lost", "This page is not of its server's version: load it anew.");
      return;
    }
    if (this.hello && this.hello.server !== hello.server) this.forget();
    this.hello = hello;
    const there = new Map(hello.shows.map(({ id, url }) => [id, url]));
    for (const show of [...this.shows.values()]) if (there.get(show.id) !== show.about.url) this.remove(show);
    for (const about of hello.shows) this.renew(about);
    this.fresh = false;
    this.root.dataset.count = Math.min(this.shows.size, 5);
    if (this.chosen) this.panel.renew(hello);
    else this.select(this.shows.values().next().value ?? null);
  }

  /** It is another server than before: what it shows has nothing to do with what was shown. */
  forget() {
    this.tell("The server was started anew.", "saved");
    for (const show of [...this.shows.values()]) this.remove(show);
  }

  renew(about) {
    const known = this.shows.get(about.id);
    const show = known ?? new Show(about, this);
    if (known) known.renew(about);
    else {
      this.shows.set(about.id, show);
      this.root.append(show.card.root);
    }
    if (!known || this.fresh) show.begin();
  }

  remove(show) {
    this.shows.delete(show.id);
    show.card.root.remove();
    if (show === this.chosen) this.chosen = null;
  }

  send(message) {
    this.link.send(message);
  }

  // -- what people do --

  /** Whether there are several sources: the last one cannot be closed. */
  get several() {
    return this.hello !== null && this.hello.shows.length > 1;
  }

  select(show) {
    if (show !== null && show === this.chosen) return;
    this.chosen?.card.root.removeAttribute("aria-current");
    this.chosen = show;
    show?.card.root.setAttribute("aria-current", "true");
    this.panel.choose(show, this.hello);
  }

  next() {
    const all = [...this.shows.values()];
    this.select(all[(all.indexOf(this.chosen) + 1) % all.length]);
  }

  fold() {
    const folded = document.body.classList.toggle("folded");
    this.folder.setAttribute("aria-expanded", String(!folded));
  }

  /** Say something for a while. */
  tell(text, kind) {
    const note = element("p", { class: "note", "data-kind": kind }, text);
    this.notes.append(note);
    while (this.notes.childElementCount > MOST_NOTES) this.notes.firstChild.remove();
    setTimeout(() => note.remove(), NOTE_MS);
  }

  // -- drawing --

  /** Draw what is to be drawn, at the next frame of the screen. */
  wake() {
    if (this.waking) return;
    this.waking = true;
    requestAnimationFrame(() => {
      this.waking = false;
      for (const show of this.shows.values()) if (show.dirty) show.draw();
    });
  }

  /** Once a second: how many pieces were drawn. */
  count() {
    const now = performance.now();
    for (const show of this.shows.values()) {
      show.rate = (1000 * (show.drawn - (show.before ?? 0))) / (now - this.counted);
      show.before = show.drawn;
    }
    this.counted = now;
    if (this.chosen) this.panel.figures();
  }
}

globalThis.aevents = new Page(); // for who looks with the browser's console
