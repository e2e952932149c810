/* Event Stream (.es): a byte that says how long after the event before, then the event.
 *
 *             idle: time runs on by          an event: t, flags             then
 *   DVS       0xFF 127; 0xFE 0               7-1 t, 0 p                     x, y (16 bits each)
 *   ATIS      0xFC-0xFF 63 * bits 1-0        7-2 t, 1 p, 0 exposure         x, y
 *   colour    0xFF 254; 0xFE 0               7-0 t                          x, y, r, g, b */
#include "cpu.h"
#include "kernels.h"

#include <string.h>

enum { DVS = 1, ATIS = 2, COLOUR = 4 };

#define LONGEST_STEP ((int64_t)1 << 34)     /* us: 135 MB of idle bytes */

/* What a kind does with the first byte. */
typedef struct {
    uint32_t idle;       /* this byte and those above it are no events */
    int shift;           /* bits of flags, below the time */
    int64_t step;        /* time of an idle byte, in each of the units in which it counts */
    size_t size;         /* of a record */
} layout;

AE_INLINE layout layout_of(int kind)
{
    if (kind == ATIS)
        return (layout){0xFC, 2, 63, 5};
    if (kind == DVS)
        return (layout){0xFE, 1, 127, 5};
    return (layout){0xFE, 0, 254, 8};
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* How many records follow each other from `data` on, idle bytes aside: all eight, or none. */
AE_INLINE int eight_records(const uint8_t *data, layout at)
{
    uint32_t idle = 0;
    for (size_t j = 0; j < 8; j++)
        idle |= data[at.size * j] >= at.idle;
    return !idle;
}

AE_INLINE int64_t record(const uint8_t *data, int64_t time, uint32_t top, layout at, size_t n,
                         ae_columns *out, uint8_t *rgb)
{
    time += *data >> at.shift;
    out->t[n] = time;
    out->x[n] = (uint16_t)ae_load16(data + 1);
    out->y[n] = (uint16_t)(top ? top - 1 - ae_load16(data + 3) : ae_load16(data + 3));
    out->p[n] = *data & ((1 << at.shift) - 1);
    if (at.size == 8)
        memcpy(rgb + 3 * n, data + 5, 3);
    return time;
}

AE_INLINE size_t decode(const uint8_t *data, size_t length, int kind, ae_es *state,
                        ae_columns *to, uint8_t *rgb)
{
    const layout at = layout_of(kind);
    const uint32_t top = (uint32_t)state->height;
    ae_columns out = *to;
    size_t i = 0, n = out.n, limit = out.capacity - AE_SLACK;
    int64_t time = state->time;
    while (i < length && n <= limit) {
        if (length - i >= 8 * at.size && n + 8 <= limit && eight_records(data + i, at)) {
            for (size_t j = 0; j < 8; j++, i += at.size, n++)
                time = record(data + i, time, top, at, n, &out, rgb);
        } else if (data[i] >= at.idle) {
            time += at.step * (kind == ATIS ? data[i] & 3 : data[i] & 1);
            i++;
        } else if (length - i >= at.size) {
            time = record(data + i, time, top, at, n, &out, rgb);
            i += at.size, n++;
        } else {
            break;
        }
    }
    to->n = n;
    state->time = time;
    return i;
}

size_t ae_es_decode(const uint8_t *data, size_t length, ae_es *state, ae_columns *out, uint8_t *rgb)
{
    if (out->capacity < AE_SLACK)
        return 0;
    switch (state->kind) {
    case DVS:
        return decode(data, length, DVS, state, out, rgb);
    case ATIS:
        return decode(data, length, ATIS, state, out, rgb);
    case COLOUR:
        return rgb ? decode(data, length, COLOUR, state, out, rgb) : 0;
    default:
        return 0;
    }
}

/* ---- writing ---------------------------------------------------------------------------------- */

/* Idle bytes until less than one is missing to time `t`, as room allows. */
AE_INLINE uint8_t *write_idle(uint8_t *out, const uint8_t *end, int64_t t, int kind, ae_es *state)
{
    const int64_t step = layout_of(kind).step;
    while (t - state->time >= step && out < end) {
        int64_t units = (t - state->time) / step;
        int64_t most = kind == ATIS ? 3 : 1;
        units = units < most ? units : most;
        *out++ = kind == ATIS ? (uint8_t)(0xFC | units) : 0xFF;
        state->time += step * units;
    }
    return out;
}

AE_INLINE int refused(const ae_columns *in, size_t k, const ae_es *state)
{
    return in->x[k] >= state->width || in->y[k] >= state->height || in->t[k] < state->time ||
           (uint64_t)in->t[k] - (uint64_t)state->time > (uint64_t)LONGEST_STEP;
}

/* Writes the events that follow each other without an idle byte between, which are most, and where
 * a whole record and more has room. Returns the end of what it wrote. */
AE_INLINE uint8_t *write_close(uint8_t *out, const uint8_t *end, const ae_columns *columns,
                               const uint8_t *rgb, int kind, ae_es *state)
{
    const layout at = layout_of(kind);
    const ae_columns in = *columns;
    const uint32_t flags = (1u << at.shift) - 1, width = (uint32_t)state->width;
    const uint32_t height = (uint32_t)state->height;
    int64_t time = state->time;
    size_t k = (size_t)state->next;
    for (; k < in.n && end - out >= AE_ES_RECORD; k++) {
        uint64_t gap = (uint64_t)in.t[k] - (uint64_t)time;
        uint32_t x = in.x[k], y = in.y[k];
        if (gap >= (uint64_t)at.step || x >= width || y >= height)
            break;
        uint32_t head = (uint32_t)gap << at.shift | (in.p[k] & flags);
        ae_store32(out, head | x << 8 | (height - 1 - y) << 24);
        out[4] = (uint8_t)((height - 1 - y) >> 8);
        if (kind == COLOUR)
            memcpy(out + 5, rgb + 3 * k, 3);
        out += at.size;
        time = in.t[k];
    }
    state->time = time;
    state->next = (int64_t)k;
    return out;
}

AE_INLINE size_t encode(const ae_columns *in, const uint8_t *rgb, int kind, ae_es *state,
                        uint8_t *out, size_t capacity)
{
    const uint8_t *end = out + capacity;
    uint8_t *cursor = out;
    for (;;) {
        cursor = write_close(cursor, end, in, rgb, kind, state);
        size_t k = (size_t)state->next;
        state->refused = k < in->n && refused(in, k, state);
        if (k == in->n || state->refused || end - cursor < AE_ES_RECORD)
            break;
        cursor = write_idle(cursor, end, in->t[k], kind, state);
    }
    return (size_t)(cursor - out);
}

size_t ae_es_encode(const ae_columns *in, const uint8_t *rgb, ae_es *state, uint8_t *out,
                    size_t capacity)
{
    state->refused = 0;
    if (state->next < 0)
        return 0;
    switch (state->kind) {
    case DVS:
        return encode(in, rgb, DVS, state, out, capacity);
    case ATIS:
        return encode(in, rgb, ATIS, state, out, capacity);
    case COLOUR:
        return rgb ? encode(in, rgb, COLOUR, state, out, capacity) : 0;
    default:
        return 0;
    }
}
