/* SPIF: 32-bit little-endian words, and timestamps between them. Layout: docs/reference/formats.md.
 *
 *   bit 31      1: no timestamp follows; 0: the next word is one, the low 32 bits of t in us
 *   bits 30-16  x; bit 15 polarity; bits 14-0 y */
#include "cpu.h"
#include "dispatch.h"
#include "kernels.h"

#include <string.h>

#define UNTIMED 0x80000000u
#define AHEAD 60000000                  /* us: a scene may be quiet for a while ... */
#define BEHIND 1000000                  /* ... but few senders are this much out of order */

enum {
    BLOCK = 16,
    FULL = 256                          /* bytes: a datagram with timestamps, as AEStream sends it */
};

typedef struct {
    uint32_t width, height;
} bounds;

AE_INLINE uint32_t x_of(uint32_t word)
{
    return word >> 16 & 0x7FFF;
}

AE_INLINE uint32_t y_of(uint32_t word)
{
    return word & 0x7FFF;
}

AE_INLINE int outside(uint32_t word, bounds size)
{
    return (x_of(word) >= size.width) | (y_of(word) >= size.height);
}

static void put(ae_columns *out, uint32_t word, int64_t t)
{
    size_t n = out->n++;
    out->t[n] = t;
    out->x[n] = (uint16_t)x_of(word);
    out->y[n] = (uint16_t)y_of(word);
    out->p[n] = word >> 15 & 1;
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* Whole blocks of words without timestamps, all on the sensor: returns how many words. */
AE_INLINE size_t plain_words(const uint8_t *data, size_t words, int64_t t, bounds size,
                             ae_columns *out)
{
    size_t i = 0;
    for (; words - i >= BLOCK; i += BLOCK, out->n += BLOCK) {
        const uint8_t *from = data + 4 * i;
        uint32_t all = UNTIMED, off = 0;
        for (size_t j = 0; j < BLOCK; j++) {
            all &= ae_load32(from + 4 * j);
            off |= (uint32_t)outside(ae_load32(from + 4 * j), size);
        }
        if (!all || off)
            break;
        int64_t *restrict times = out->t + out->n;
        uint16_t *restrict x = out->x + out->n, *restrict y = out->y + out->n;
        uint8_t *restrict p = out->p + out->n;
        for (size_t j = 0; j < BLOCK; j++) {
            uint32_t word = ae_load32(from + 4 * j);
            times[j] = t;
            x[j] = (uint16_t)x_of(word);
            y[j] = (uint16_t)y_of(word);
            p[j] = word >> 15 & 1;
        }
    }
    return i;
}

static void untimed_event(uint32_t word, int64_t t, bounds size, ae_spif *state, ae_columns *out)
{
    if (outside(word, size))
        state->off_sensor++;
    else
        put(out, word, t);
}

/* The time nearest to the running one that has these low 32 bits, and is not before 0. */
static int64_t unwrapped(uint32_t low, int64_t time)
{
    int64_t t = time + (int32_t)(low - (uint32_t)time);
    return t < 0 ? t + ((int64_t)1 << 32) : t;
}

static int doubted(uint32_t low, const ae_spif *state)
{
    int32_t step = (int32_t)(low - (uint32_t)state->doubt);
    return state->doubt >= 0 && step >= -BEHIND && step <= AHEAD;
}

/* Whether an event of this time is to be believed. `first`: no other of its datagram was judged. */
static int believed(int64_t t, uint32_t low, int first, int64_t arrival, ae_spif *state)
{
    int64_t ahead = t - state->time;
    if (ahead >= -BEHIND && ahead <= AHEAD + arrival - state->heard) {
        if (first)
            state->doubt = -1;
        return 1;
    }
    if (first && doubted(low, state)) {
        state->doubt = -1;
        state->time_jumps++;
        return 1;
    }
    if (first)
        state->doubt = low;
    state->absurd_times++;
    return 0;
}

/* Returns whether the time was judged: that of an event off the sensor is not. */
static int timed_event(const uint8_t *data, int first, int64_t arrival, bounds size,
                       ae_spif *state, ae_columns *out)
{
    uint32_t word = ae_load32(data), low = ae_load32(data + 4);
    if (outside(word, size)) {
        state->off_sensor++;
        return 0;
    }
    int64_t t = state->started ? unwrapped(low, state->time) : low;
    if (!state->started) {
        state->started = 1;
        state->time = t;
        state->heard = arrival;
    }
    if (!believed(t, low, first, arrival, state))
        return 1;
    state->time = state->latest = t;
    state->heard = arrival;
    put(out, word, t);
    return 1;
}

/* AEStream's last datagram with timestamps has twice the length of its events. What comes too much
 * still lies in the sender's memory from the datagram before: it is the same, at the same place.
 * Returns how many bytes are sound. */
static size_t sound_bytes(const uint8_t *data, size_t length, ae_spif *state)
{
    size_t half = length / 2, end = length < FULL ? length : FULL;
    int timed = length >= 8 && !(ae_load32(data) & UNTIMED);
    int stale = state->held && timed && length % 16 == 0 && half < FULL &&
                memcmp(data + half, state->last + half, end - half) == 0 &&
                memcmp(data, state->last, half) != 0;
    state->held = timed && length == FULL;
    if (state->held)
        memcpy(state->last, data, FULL);
    if (stale)
        state->stale_bytes += (int64_t)(length - half);
    return stale ? half : length;
}

AE_INLINE void datagram(const uint8_t *data, size_t length, int64_t arrival, bounds size,
                        ae_spif *state, ae_columns *out)
{
    size_t sound = sound_bytes(data, length, state), words = sound / 4, i = 0, plain_from = 0;
    int first = 1;
    state->torn_bytes += (int64_t)(sound % 4);
    while (i < words) {
        if (ae_load32(data + 4 * i) & UNTIMED) {
            state->latest = arrival > state->latest ? arrival : state->latest;
            if (i >= plain_from) {
                i += plain_words(data + 4 * i, words - i, state->latest, size, out);
                plain_from = i + BLOCK;
            } else {
                untimed_event(ae_load32(data + 4 * i++), state->latest, size, state, out);
            }
        } else if (words - i >= 2) {
            first &= !timed_event(data + 4 * i, first, arrival, size, state, out);
            i += 2;
        } else {
            state->torn_bytes += 4;
            i++;
        }
    }
}

AE_INLINE size_t decode_with(const ae_datagrams *in, size_t start, int64_t arrival,
                             ae_spif *state, ae_columns *to)
{
    const bounds size = {(uint32_t)state->width, (uint32_t)state->height};
    ae_columns out = *to;
    size_t i = start;
    for (; i < in->count && out.n + in->length[i] / 4 <= out.capacity; i++) {
        const uint8_t *data = in->data + i * AE_MESSAGE_STRIDE;
        size_t length = in->length[i], segment = in->segment[i], at = 0;
        for (; segment && length - at > segment; at += segment)
            datagram(data + at, segment, arrival, size, state, &out);
        datagram(data + at, length - at, arrival, size, state, &out);
    }
    to->n = out.n;
    return i;
}

static size_t decode_base(const ae_datagrams *in, size_t start, int64_t arrival, ae_spif *state,
                          ae_columns *out)
{
    return decode_with(in, start, arrival, state, out);
}

#if AE_X86

AE_V3 static size_t decode_v3(const ae_datagrams *in, size_t start, int64_t arrival,
                              ae_spif *state, ae_columns *out)
{
    return decode_with(in, start, arrival, state, out);
}

AE_V4 static size_t decode_v4(const ae_datagrams *in, size_t start, int64_t arrival,
                              ae_spif *state, ae_columns *out)
{
    return decode_with(in, start, arrival, state, out);
}

#endif

static size_t (*decode)(const ae_datagrams *, size_t, int64_t, ae_spif *,
                        ae_columns *) = decode_base;

void ae_spif_select(int level)
{
    decode = decode_base;
#if AE_X86
    if (level >= 3)
        decode = level >= 4 ? decode_v4 : decode_v3;
#else
    (void)level;
#endif
}

size_t ae_spif_decode(const ae_datagrams *in, size_t start, int64_t arrival, ae_spif *state,
                      ae_columns *out)
{
    return decode(in, start, arrival, state, out);
}

/* ---- writing ---------------------------------------------------------------------------------- */

size_t ae_spif_encode(const ae_columns *in, int timestamps, int64_t width, int64_t height,
                      uint8_t *out)
{
    const uint32_t untimed = timestamps ? 0 : UNTIMED;
    for (size_t k = 0; k < in->n; k++) {
        uint32_t x = in->x[k], y = in->y[k], p = in->p[k] != 0;
        if (x >= width || y >= height || (timestamps && in->t[k] < 0))
            return k;
        out = ae_store32(out, untimed | x << 16 | p << 15 | y);
        if (timestamps)
            out = ae_store32(out, (uint32_t)in->t[k]);
    }
    return in->n;
}
