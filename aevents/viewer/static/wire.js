// Pieces as they come over the wire: docs/reference/viewer.md has the layout.

export const VERSION = 1;
const SPARSE = 1;
const DENSE = 2;
const PICTURE = 3;
const HEADER_BYTES = 40;
const JUMP = 1;
const LARGEST = 1 << 23; // pixels: what an index of `counted` words has room for

/** Return what the header of a piece says, and its `body`. Throws what is wrong with it. */
export function parsed(buffer) {
  if (buffer.byteLength < HEADER_BYTES) throw new Error("a piece is too short");
  const view = new DataView(buffer);
  const piece = {
    kind: view.getUint8(0),
    show: view.getUint8(1),
    jump: (view.getUint16(2, true) & JUMP) !== 0,
    width: view.getUint16(4, true),
    height: view.getUint16(6, true),
    seq: view.getUint32(8, true),
    count: view.getUint32(12, true),
    start: view.getFloat64(16, true),
    stop: view.getFloat64(24, true),
    size: view.getUint32(32, true),
    buffer,
  };
  if (piece.kind < SPARSE || piece.kind > PICTURE) throw new Error(`there is no kind ${piece.kind} of pieces`);
  return piece;
}

/**
 * Return what is to be drawn: `words` of events, `counted` or not, or the `pixels` of a picture.
 *
 * Words: a pixel's index in bits 0..20, polarity in 21, 1024ths of the piece in 22..31; counted ones
 * have no time: index in bits 0..22, polarity in 23, the number of events in 24..31.
 */
export async function unpacked(piece) {
  const { kind, jump, width, height, seq, count, start, stop, size, buffer } = piece;
  const common = { jump, width, height, seq, start, stop };
  if (kind === SPARSE) {
    return { ...common, counted: false, words: new Uint32Array(buffer, HEADER_BYTES, size / 4) };
  }
  const bytes = await inflated(new Uint8Array(buffer, HEADER_BYTES), size);
  if (kind === PICTURE) return { ...common, channels: count, pixels: bytes };
  if (width * height > LARGEST) throw new Error(`${width} × ${height} pixels are too many for this page`);
  return { ...common, counted: true, words: gathered(bytes, width * height) };
}

async function inflated(bytes, size) {
  const stream = new DecompressionStream("deflate-raw");
  const writer = stream.writable.getWriter();
  const written = Promise.all([writer.write(bytes), writer.close()]);
  const reader = stream.readable.getReader();
  const all = new Uint8Array(size);
  let filled = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (filled + value.length > size) throw new Error("a piece is longer than it says");
    all.set(value, filled);
    filled += value.length;
  }
  await written;
  if (filled < size) throw new Error("a piece is shorter than it says");
  return all;
}

let scratch = new Uint32Array(0);

/** Return words for the pixels of two planes, OFF and ON, that are not 0. */
function gathered(planes, size) {
  if (scratch.length < 2 * size) scratch = new Uint32Array(2 * size);
  const words = scratch;
  const fours = new Uint32Array(planes.buffer, 0, planes.length >> 2);
  let count = 0;
  const look = (from, to) => {
    for (let i = from; i < to; i++) {
      const many = planes[i];
      if (many !== 0) words[count++] = (i < size ? i : (i - size) | (1 << 23)) | (many << 24);
    }
  };
  for (let k = 0; k < fours.length; k++) if (fours[k] !== 0) look(4 * k, 4 * k + 4);
  look(4 * fours.length, planes.length);
  return words.slice(0, count);
}
