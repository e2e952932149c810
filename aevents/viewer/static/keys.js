// The keyboard: what each key does to the chosen source.

import { SPEEDS } from "./card.js";
import { VIEWS } from "./colours.js";
import { element } from "./dom.js";

const LONG = 10; // steps, with the shift key
const FINER = 1.25;

const KEYS = [
  ["space", "play or pause", [" "], (show) => show.toggle()],
  ["← →", "step by one window (with shift: ten)", ["ArrowLeft", "ArrowRight"], (show, event) =>
    show.about.seekable && show.step(event.key === "ArrowLeft" ? -1 : 1, event.shiftKey ? LONG : 1)],
  ["Home End", "to the beginning, to the end", ["Home", "End"], (show, { key }) => show.card.timeline?.end(key === "Home" ? 0 : 1)],
  [", .", "slower, faster", [",", "."], (show, { key }) => faster(show, key === "." ? 1 : -1)],
  ["1 … 5", Object.values(VIEWS).map(({ name }) => name.toLowerCase()).join(", "), [..."12345"], (show, { key }, panel) =>
    panel.set((settings) => (settings.view = Object.keys(VIEWS)[key - 1]))],
  ["[ ]", "shorter, longer window or decay", ["[", "]"], (show, { key }, panel) =>
    panel.set((settings) => (settings.span *= key === "]" ? FINER : 1 / FINER))],
  ["c", "next colour map", ["c"], (show, event, panel) => panel.set((settings) => settings.next("map"))],
  ["p", "next point size", ["p"], (show, event, panel) => panel.set((settings) => settings.next("point"))],
  ["+ − 0", "zoom in, out, whole picture", ["+", "=", "-", "0"], (show, { key }) =>
    key === "0" ? show.stage.reset() : show.stage.zoomBy(key === "-" ? 1 / FINER : FINER)],
  ["r", "record, or stop", ["r"], (show) => show.about.record && show.record()],
  ["s", "snapshot", ["s"], (show) => show.snapshot()],
  ["f", "full screen", ["f"], (show) => fullScreen(show.stage.root)],
  ["n", "next source", ["n"], (show, event, panel, page) => page.next()],
  ["h", "hide or show the side panel", ["h"], (show, event, panel, page) => page.fold()],
];

/** Listen to the keyboard; `page` has `chosen`, `panel`, `next()` and `fold()`. */
export function listen(page, dialog) {
  dialog.append(
    element("h2", { id: "keys-title" }, "Keys"),
    element("dl", {}, ...KEYS.flatMap(([name, what]) => [element("dt", {}, name), element("dd", {}, what)]),
      element("dt", {}, "?"), element("dd", {}, "this list")),
    element("p", {}, "Wheel or two fingers: zoom. Drag: move the picture. Double click: whole picture."),
    element("form", { method: "dialog" }, element("button", {}, "Close")),
  );
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    if (event.key === "?") dialog.showModal();
    const found = KEYS.find(([, , keys]) => keys.includes(event.key));
    if (!found || !page.chosen || taken(event)) return;
    event.preventDefault();
    found[3](page.chosen, event, page.panel, page);
  });
}

/** Whether the element that has the focus does something of its own with a key. */
function taken({ target, key }) {
  if (target.matches("select, input:not([type=range])")) return true;
  if (target.matches("input") && /^(Arrow|Home|End)/.test(key)) return true;
  return key === " " && target.matches("button, summary, a");
}

function faster(show, by) {
  const at = SPEEDS.indexOf(show.state.speed);
  const speed = SPEEDS[at + by];
  if (!show.about.live && at >= 0 && speed) show.speed(speed);
}

function fullScreen(root) {
  if (document.fullscreenElement) document.exitFullscreen();
  else root.requestFullscreen();
}
