// What the pixels of a sensor show: the newest events are kept, and for each pixel what its view needs.
//
// A view of ages (events, time surface, decay) needs when a pixel last spoke; a view of counts
// (signed, polarity) how often it did within the window. Either way a picture is one look into a
// table of colours for each pixel, without a branch, however many events there are.

export const AGES = 2048; // steps in which the span of a view of ages is told apart
export const MOST = 255; // events of one polarity that a table of counts tells apart
const TICKS = 32768; // ages are 15 bits wide
const NEVER = 16384; // an age of which nothing is seen
const SWEEP = 8192; // ages past it are set back to NEVER this often, before they wrap
const KEPT_US = 1e6;
const KEPT_WORDS = 1 << 24; // 64 MiB a source

/** When each pixel last spoke: 15 bits of time and one of polarity. */
class Ages {
  constructor(width, height, spanUs, point) {
    this.unit = spanUs / AGES;
    this.codes = new Uint16Array(width * height);
    this.block = blocks(width, height, point);
    this.now = -Infinity;
    this.swept = 0;
  }

  add(piece) {
    const now = Math.floor(piece.stop / this.unit);
    if (now - this.now >= SWEEP) {
      this.codes.fill(code(now - NEVER));
      this.swept = now;
    }
    this.now = now;
    if (now - this.swept >= SWEEP) this.sweep();
    if (piece.counted) this.addCounted(piece.words, code(now));
    else this.addTimed(piece);
  }

  addTimed({ words, start, stop }) {
    const { codes, block } = this;
    const times = Uint16Array.from({ length: 1024 }, (_, k) =>
      code(Math.floor((start + (k * (stop - start)) / 1024) / this.unit)),
    );
    for (let i = 0; i < words.length; i++) {
      const word = words[i];
      const value = times[word >>> 22] | ((word >>> 21) & 1);
      if (block === null) codes[word & 0x1fffff] = value;
      else block(word & 0x1fffff, (at) => (codes[at] = value));
    }
  }

  addCounted(words, time) {
    const { codes, block } = this;
    for (let i = 0; i < words.length; i++) {
      const word = words[i];
      const value = time | ((word >>> 23) & 1);
      if (block === null) codes[word & 0x7fffff] = value;
      else block(word & 0x7fffff, (at) => (codes[at] = value));
    }
  }

  take() {} // nothing is taken away: what is old is not seen

  sweep() {
    const { codes } = this;
    const now = code(this.now) | 1;
    const never = code(this.now - NEVER);
    for (let i = 0; i < codes.length; i++) {
      if (((now - codes[i]) & 0xffff) >> 1 >= SWEEP) codes[i] = never;
    }
    this.swept = this.now;
  }

  /** Fill `out` from a table by age: entry `2 * age` is that of ON, the next one that of OFF. */
  paint(table, out) {
    const { codes } = this;
    const now = this.now === -Infinity ? 2 * NEVER + 1 : code(this.now) | 1;
    for (let i = 0; i < out.length; i++) out[i] = table[(now - codes[i]) & 0xffff];
  }
}

function code(tick) {
  return (((tick % TICKS) + TICKS) % TICKS) << 1;
}

/** How many events each pixel had within the window: ON in the lower 16 bits, OFF in the upper. */
class Counts {
  constructor(width, height, spanUs, point) {
    this.counts = new Uint32Array(width * height);
    this.block = blocks(width, height, point);
  }

  add(piece) {
    this.change(piece, 0, piece.words.length, 1);
  }

  /** Take the first events of a piece away again. */
  take(piece, from, to) {
    this.change(piece, from, to, -1);
  }

  change({ words, counted }, from, to, sign) {
    const { counts, block } = this;
    if (counted || block !== null) {
      this.changeSlowly(words, counted, from, to, sign);
      return;
    }
    const [off, less] = [sign * 65536, sign * 65535]; // a branch would cost more than the multiplication
    for (let i = from; i < to; i++) {
      const word = words[i];
      counts[word & 0x1fffff] += off - less * ((word >>> 21) & 1);
    }
  }

  changeSlowly(words, counted, from, to, sign) {
    const { counts, block } = this;
    const [mask, bit] = counted ? [0x7fffff, 23] : [0x1fffff, 21];
    for (let i = from; i < to; i++) {
      const word = words[i];
      const more = sign * ((word >>> bit) & 1 ? 1 : 65536) * (counted ? word >>> 24 : 1);
      if (block === null) counts[word & mask] += more;
      else block(word & mask, (at) => (counts[at] += more));
    }
  }

  /** Fill `out` from a table by counts: entry `on | off << 8`, of which each is MOST at most. */
  paint(table, out) {
    const { counts } = this;
    for (let i = 0; i < out.length; i++) {
      const both = counts[i];
      out[i] = table[Math.min(both & 0xffff, MOST) | (Math.min(both >>> 16, MOST) << 8)];
    }
  }
}

/** Return what calls back for each pixel of the point around a pixel; null where that is the pixel. */
function blocks(width, height, point) {
  if (point === 1) return null;
  const before = (point - 1) >> 1;
  return (at, each) => {
    const left = (at % width) - before;
    const top = Math.floor(at / width) - before;
    const right = Math.min(left + point, width);
    const bottom = Math.min(top + point, height);
    for (let y = Math.max(top, 0); y < bottom; y++) {
      for (let x = Math.max(left, 0); x < right; x++) each(y * width + x);
    }
  };
}

/** The newest events of one sensor, and what a view needs of them. */
export class Pixels {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.now = null;
    this.kept = []; // pieces, the oldest first
    this.words = 0;
    this.gone = 0; // of kept: how many pieces are behind the window
    this.part = 0; // and how many events of the next one
    this.look({ counts: false, spanUs: 33_000, point: 1 });
  }

  /** Say what the view needs: counts or ages of `spanUs`, in points of so many pixels. */
  look({ counts, spanUs, point }) {
    this.spanUs = spanUs;
    const Kind = counts ? Counts : Ages;
    this.store = new Kind(this.width, this.height, spanUs, point);
    this.gone = 0;
    this.part = 0;
    for (const piece of this.kept) this.store.add(piece);
    this.expire();
  }

  /** Forget all. */
  clear(look) {
    this.kept = [];
    this.words = 0;
    this.now = null;
    this.look(look);
  }

  /** Take a piece, which is not older than the last one. */
  add(piece) {
    this.kept.push(piece);
    this.words += piece.words.length;
    this.now = piece.stop;
    this.store.add(piece);
    this.expire();
    this.trim();
  }

  /** Take away what the window has passed; a piece without times goes as one, the newest never. */
  expire() {
    const { kept, store } = this;
    const from = this.now - this.spanUs;
    while (this.gone < kept.length) {
      const piece = kept[this.gone];
      const until = piece.stop <= from ? piece.words.length : passed(piece, from, this.part);
      store.take(piece, this.part, until);
      this.part = until;
      if (piece.stop > from) return;
      this.gone += 1;
      this.part = 0;
    }
  }

  trim() {
    const { kept, store } = this;
    while (kept.length > 1 && (kept[0].stop < this.now - KEPT_US || this.words > KEPT_WORDS)) {
      const piece = kept.shift();
      this.words -= piece.words.length;
      if (this.gone > 0) this.gone -= 1;
      else {
        store.take(piece, this.part, piece.words.length);
        this.part = 0;
      }
    }
  }

  paint(table, out) {
    this.store.paint(table, out);
  }

  /** Return pixels of their own with the events of `[start, stop)`, as far as they are kept. */
  between(start, stop) {
    const some = new Pixels(this.width, this.height);
    some.look({ counts: true, spanUs: stop - start, point: 1 });
    for (const piece of this.kept) {
      if (piece.start < stop && piece.stop > start) some.add(clipped(piece, stop));
    }
    return some;
  }
}

/** Return how many of a piece's events are before `from`; events are in order of time. */
function passed({ counted, words, start, stop }, from, part) {
  if (counted || start >= from) return part;
  const tick = Math.ceil(((from - start) * 1024) / (stop - start));
  let until = part;
  while (until < words.length && words[until] >>> 22 < tick) until += 1;
  return until;
}

/** Return a piece without what is not before `until`. */
function clipped(piece, until) {
  if (piece.counted || piece.stop <= until) return piece;
  const tick = Math.ceil(((until - piece.start) * 1024) / (piece.stop - piece.start));
  const words = piece.words.filter((word) => word >>> 22 < tick);
  return { ...piece, words };
}
