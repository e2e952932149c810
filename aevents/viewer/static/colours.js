// Colour maps, and the tables by which views paint.
//
// In each map ON and OFF differ in luminance and not only in hue, so that who sees fewer colours, or a
// print without any, still tells them apart. Viridis, cividis and inferno: matplotlib, and Nuñez et al.
// 2018 (cividis).

import { AGES, MOST } from "./pixels.js";

export const MAPS = {
  ice: {
    name: "Ice", ground: "#0b0e13", on: "#a2dcff", off: "#c2570c",
    ramp: ["#0b0e13", "#10304c", "#185f8a", "#3d97c4", "#a2dcff", "#f2fbff"],
  },
  viridis: {
    name: "Viridis", ground: "#0c0612", on: "#fde725", off: "#26828e",
    ramp: ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"],
  },
  cividis: {
    name: "Cividis", ground: "#02060f", on: "#ffea46", off: "#4a6cae",
    ramp: ["#00204d", "#00336f", "#39486b", "#575d6d", "#707173", "#8a8779", "#a69d75", "#c4b56c", "#e4cf5b", "#ffea46"],
  },
  inferno: {
    name: "Inferno", ground: "#000004", on: "#fcffa4", off: "#b4325a",
    ramp: ["#000004", "#1b0c41", "#4a0c6b", "#781c6d", "#a52c60", "#cf4446", "#ed6925", "#fb9b06", "#f7d13d", "#fcffa4"],
  },
  grey: {
    name: "Grey", ground: "#000000", on: "#ffffff", off: "#707070", ramp: ["#000000", "#ffffff"],
  },
  paper: {
    name: "Paper", ground: "#f4f1ea", on: "#0b2a63", off: "#d06f1c",
    ramp: ["#f4f1ea", "#c5cfe0", "#7f9cc8", "#3f69a8", "#123a7d", "#041530"],
  },
};

/** The views: what they show, how, and what their span means. */
export const VIEWS = {
  events: {
    name: "Events", counts: false, spanUs: 33_000, reach: 1, span: "Window",
    about: "the last event of each pixel within the window",
  },
  signed: {
    name: "Signed", counts: true, spanUs: 33_000, reach: 1, span: "Window",
    about: "ON less OFF within the window",
  },
  polarity: {
    name: "Polarity", counts: true, spanUs: 33_000, reach: 1, span: "Window",
    about: "ON and OFF, counted apart within the window",
  },
  surface: {
    name: "Time surface", counts: false, spanUs: 100_000, reach: 1, span: "Window",
    about: "how long ago each pixel last spoke",
  },
  decay: {
    name: "Decay", counts: false, spanUs: 30_000, reach: 6, span: "Decay",
    about: "events fade: to 37 % after the decay time",
  },
};

function channels(text) {
  return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
}

/** Return a pixel as ImageData has it on a little-endian machine. */
function packed([red, green, blue]) {
  return ((255 << 24) | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red)) >>> 0;
}

function mixed(from, to, part) {
  return from.map((value, k) => value + (to[k] - value) * part);
}

/** Return the colour of a ramp at `part` of its length. */
function along(ramp, part) {
  const at = Math.min(Math.max(part, 0), 1) * (ramp.length - 1);
  const low = Math.min(Math.floor(at), ramp.length - 2);
  return mixed(ramp[low], ramp[low + 1], at - low);
}

/** Return the table by which a view paints; `full` events have the full colour. */
export function table(view, mapName, full) {
  const map = MAPS[mapName];
  const [ground, on, off] = [map.ground, map.on, map.off].map(channels);
  const ramp = map.ramp.map(channels);
  if (VIEWS[view].counts) return view === "signed" ? signed(ground, on, off, full) : apart(ground, on, off, full);
  if (view === "surface") return byAge(ramp[0], (age) => [along(ramp, 1 - age), along(ramp, 1 - age)]);
  if (view === "events") return byAge(ground, () => [on, off]);
  const faded = (age) => Math.exp(-VIEWS.decay.reach * age);
  return byAge(ground, (age) => [mixed(ground, on, faded(age)), mixed(ground, off, faded(age))]);
}

function byAge(ground, both) {
  const entries = new Uint32Array(1 << 16).fill(packed(ground));
  for (let age = 0; age <= AGES; age++) {
    const [on, off] = both(age / AGES);
    entries[2 * age] = packed(on);
    entries[2 * age + 1] = packed(off);
  }
  return entries;
}

function byCounts(colour) {
  const entries = new Uint32Array(1 << 16);
  for (let off = 0; off <= MOST; off++) {
    for (let on = 0; on <= MOST; on++) entries[on | (off << 8)] = packed(colour(on, off));
  }
  return entries;
}

function signed(ground, on, off, full) {
  return byCounts((ups, downs) => {
    const sum = ups - downs;
    return mixed(ground, sum > 0 ? on : off, Math.min(Math.abs(sum) / full, 1));
  });
}

function apart(ground, on, off, full) {
  return byCounts((ups, downs) => {
    const [more, less] = [Math.min(ups / full, 1), Math.min(downs / full, 1)];
    const sum = ground.map((value, k) => value + (on[k] - value) * more + (off[k] - value) * less);
    return sum.map((value) => Math.min(Math.max(value, 0), 255));
  });
}

/** Return a picture of a map, for those who choose one: CSS of a gradient. */
export function gradient(mapName) {
  const { ramp, on, off, ground } = MAPS[mapName];
  return `linear-gradient(90deg, ${off} 0 18%, ${ground} 18% 24%, ${on} 24% 42%, ${ground} 42% 48%, ${ramp
    .map((colour, k) => `${colour} ${48 + (52 * k) / (ramp.length - 1)}%`)
    .join(", ")})`;
}
