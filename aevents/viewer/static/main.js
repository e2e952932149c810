// The page: what the server tells goes to its sources, what people want goes to the server.

import { element, icon, say } from "./dom.js";
import { listen } from "./keys.js";
import { Link } from "./link.js";
import { Panel } from "./panel.js";
import { Show } from "./show.js";
import { VERSION } from "./wire.js";

const NOTE_MS = 6000;

class Page {
  constructor() {
    this.shows = new Map();
    this.chosen = null;
    this.hello = null;
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
    setInterval(() => this.count(), 1000);
  }

  // -- the link --

  state(name, text) {
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
    else if (message.type === "saved") this.tell(`Saved the ${message.what}: ${message.name}`, "saved");
    else this.shows.get(message.show)?.told(message);
  }

  greeted(hello) {
    if (hello.version !== VERSION) {
      this.state("lost", "This page is older than its server: load it anew.");
      return;
    }
    const anew = this.hello === null || this.hello.server !== hello.server || this.link !== this.of;
    this.hello = hello;
    this.renew(hello);
  }

  send(message) {
    this.link.send(message);
  }
}
