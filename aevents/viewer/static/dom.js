// Elements, and numbers as people read them.

/** Return a new element; `on…` are listeners, other values are attributes (false and null: none). */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** Return a new SVG element. */
export function drawn(name, attributes = {}, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

const ICONS = {
  play: "M6 4l14 8-14 8z",
  pause: "M6 4h4v16H6zM14 4h4v16h-4z",
  first: "M5 4h3v16H5zM20 4v16L9 12z",
  back: "M9 4h-3v16h3zM19 4v16l-9-8z",
  forward: "M15 4h3v16h-3zM5 4v16l9-8z",
  record: "M12 5a7 7 0 1 0 0 14a7 7 0 1 0 0-14z",
  camera: "M9 4h6l2 3h4v13H3V7h4zM12 9a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9z",
  close: "M6 4.6L12 10.6 18 4.6 19.4 6 13.4 12 19.4 18 18 19.4 12 13.4 6 19.4 4.6 18 10.6 12 4.6 6z",
  fit: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
  panel: "M3 5h18v14H3zM5 7v10h9V7z",
};

/** Return the picture of a button. */
export function icon(name) {
  const svg = drawn("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" });
  svg.append(drawn("path", { d: ICONS[name], "fill-rule": "evenodd" }));
  return svg;
}

/** Return a button with a picture; `label` is its name, `key` the key that does the same. */
export function button(name, label, key, onclick) {
  const title = key ? `${label} (${key})` : label;
  return element("button", { type: "button", "aria-label": label, title, onclick }, icon(name));
}

/** Set the text of an element, if it is another. */
export function say(where, text) {
  if (where.textContent !== text) where.textContent = text;
}

const PREFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** Return a number in three digits: 1234567 is "1.23 M". */
export function short(number) {
  for (const [size, prefix] of PREFIXES) {
    if (Math.abs(number) >= 0.9995 * size) return `${(number / size).toPrecision(3)} ${prefix}`;
  }
  return `${Math.round(number)} `;
}

/** Return microseconds as minutes and seconds: 61234567 is "1:01.234567" to six digits. */
export function clock(us, digits = 6) {
  const sign = us < 0 ? "−" : "";
  const whole = Math.floor(Math.abs(us));
  const minutes = Math.floor(whole / 60e6);
  const rest = String(whole % 60e6).padStart(8, "0");
  const part = rest.slice(2).slice(0, digits);
  return `${sign}${minutes}:${rest.slice(0, 2)}${part && `.${part}`}`;
}

/** Return microseconds in a unit that suits them: 33000 is "33 ms". */
export function duration(us) {
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 1e6) return `${Number((us / 1000).toPrecision(3))} ms`;
  return `${Number((us / 1e6).toPrecision(3))} s`;
}

/** Hand a file to the person who looks. */
export function download(blob, name) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
