// The connection to the server, which is made anew until it holds.

import { parsed } from "./wire.js";

const SHORTEST_MS = 250;
const LONGEST_MS = 4000;
const REASONS = {
  1007: "The server did not understand this page: load it anew.",
  1008: "The server turned this page away: load it anew.",
  1009: "This page said too much at once: load it anew.",
  1013: "As many browsers as the server takes are watching already; trying again.",
};

export class Link {
  /** `on` has `message(object)`, `piece(piece)` and `state(name, text)`. */
  constructor(on) {
    this.on = on;
    this.wait = SHORTEST_MS;
    this.lost = false;
    this.connect();
  }

  connect() {
    this.on.state(this.lost ? "lost" : "connecting", this.lost ? "server gone, trying again" : "connecting");
    const address = new URL("ws", document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.wait = SHORTEST_MS;
    };
    socket.onmessage = ({ data }) => this.heard(data);
    socket.onclose = ({ code }) => this.closed(code);
    this.socket = socket;
  }

  heard(data) {
    if (typeof data === "string") {
      const message = JSON.parse(data);
      if (message.type === "hello") this.on.state("open", this.lost ? "connected again" : "connected");
      if (message.type === "hello") this.lost = false;
      this.on.message(message);
    } else this.on.piece(parsed(data));
  }

  async closed(code) {
    this.lost = true;
    this.on.state("lost", REASONS[code] ?? (await refusal()) ?? "The server is gone; trying again.");
    setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_MS);
  }

  /** Say something to the server; what it cannot hear now is not said later. */
  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}

/** Return why the server turns this page away, if it is there and says so. */
async function refusal() {
  try {
    const { status } = await fetch(document.baseURI, { cache: "no-store" });
    if (status === 401 || status === 403) return "The server wants its token: open the address that it printed.";
  } catch {
    // it is not there
  }
  return null;
}
