/* AEDAT: records with a time and an address, all of one size.
 *
 *   2.0    8 bytes, big-endian: u32 address, u32 t; where the fields stand depends on the camera
 *   1.0    6 bytes: u16 address, u32 t
 *   3.1    8 bytes, little-endian: 31-17 x, 16-2 y, 1 p, 0 valid; i32 t
 *   4.0    16 bytes, little-endian: i64 t, u16 x, u16 y, u8 on, 3 unused
 *
 * Blocks in which no time leaps and every record is an event are plain loops, which the compiler
 * turns into vector code; other records go one by one. */
#include "aedat4.h"
#include "aedat4_v4.h"
#include "cpu.h"
#include "dispatch.h"
#include "kernels.h"
#include <string.h>

enum { BLOCK = 32, NEAR = AE_LEAP / 2 };

AE_INLINE uint64_t ae_load64(const uint8_t *bytes)
{
    return ae_load32(bytes) | (uint64_t)ae_load32(bytes + 4) << 32;
}

AE_INLINE uint32_t big32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Whether a time is further than AE_LEAP from the one before it. */
AE_INLINE int leaps(int64_t time, int64_t last)
{
    return (uint64_t)time - (uint64_t)last + AE_LEAP > 2 * (uint64_t)AE_LEAP;
}

/* 0 for a time within NEAR of `last`; no two of those are further than AE_LEAP from each other. */
AE_INLINE uint64_t far_off(int64_t time, int64_t last)
{
    return ((uint64_t)time - (uint64_t)last + NEAR) & ~(2 * (uint64_t)NEAR - 1);
}

/* Whether to stop at a record of this time; otherwise it is the last. */
AE_INLINE int stops(int64_t time, ae_aedat *state)
{
    if (state->wary && state->started && leaps(time, state->last))
        return 1;
    state->started = 1;
    state->last = time;
    return 0;
}

AE_INLINE void event(int64_t t, uint32_t x, uint32_t y, int p, ae_columns *out)
{
    out->t[out->n] = t;
    out->x[out->n] = (uint16_t)x;
    out->y[out->n] = (uint16_t)y;
    out->p[out->n] = (uint8_t)p;
    out->n++;
}

/* ---- 4.0 -------------------------------------------------------------------------------------- */

AE_INLINE size_t structs_blocks(const uint8_t *data, size_t records, ae_aedat *state,
                                ae_columns *out)
{
    size_t i = 0, n = out->n;
    int64_t last = state->last, wary = state->wary;
    int64_t *restrict t = out->t;
    uint16_t *restrict x = out->x, *restrict y = out->y;
    uint8_t *restrict p = out->p;
    for (; i + BLOCK <= records && n + BLOCK <= out->capacity; i += BLOCK, n += BLOCK) {
        const uint8_t *block = data + 16 * i;
        uint64_t far = 0;
        for (size_t j = 0; j < BLOCK; j++) {
            uint64_t time = ae_load64(block + 16 * j);
            t[n + j] = (int64_t)time;
            far |= far_off((int64_t)time, last);
        }
        if (far && wary)
            break;
        for (size_t j = 0; j < BLOCK; j++) {
            uint64_t rest = ae_load64(block + 16 * j + 8);
            x[n + j] = (uint16_t)rest;
            y[n + j] = (uint16_t)(rest >> 16);
            p[n + j] = (rest >> 32 & 0xFF) != 0;
        }
        last = t[n + BLOCK - 1];
    }
    state->last = last;
    out->n = n;
    return i;
}

typedef size_t decoder(const uint8_t *, size_t, ae_aedat *, ae_columns *);

AE_INLINE size_t structs_by(decoder *blocks, const uint8_t *data, size_t records, ae_aedat *state,
                            ae_columns *out)
{
    size_t i = 0;
    while (i < records && out->n < out->capacity) {
        if (state->started)
            i += blocks(data + 16 * i, records - i, state, out);
        for (size_t j = 0; j < BLOCK && i < records && out->n < out->capacity; j++, i++) {
            const uint8_t *record = data + 16 * i;
            int64_t t = (int64_t)ae_load64(record);
            if (stops(t, state))
                return i;
            event(t, ae_load16(record + 8), ae_load16(record + 10), record[12] != 0, out);
        }
    }
    return i;
}

AE_INLINE size_t structs_with(const uint8_t *data, size_t records, ae_aedat *state, ae_columns *out)
{
    return structs_by(structs_blocks, data, records, state, out);
}

/* ---- 3.1 -------------------------------------------------------------------------------------- */

AE_INLINE size_t polarity_blocks(const uint8_t *data, size_t records, ae_aedat *state,
                                 ae_columns *out)
{
    size_t i = 0, n = out->n;
    int64_t last = state->last, base = state->base, wary = state->wary;
    int64_t *restrict t = out->t;
    uint16_t *restrict x = out->x, *restrict y = out->y;
    uint8_t *restrict p = out->p;
    for (; i + BLOCK <= records && n + BLOCK <= out->capacity; i += BLOCK, n += BLOCK) {
        const uint8_t *block = data + 8 * i;
        uint32_t words[BLOCK], valid = 1;
        uint64_t far = 0;
        for (size_t j = 0; j < BLOCK; j++) {
            uint64_t record = ae_load64(block + 8 * j);
            int64_t time = base + (int32_t)(record >> 32);
            words[j] = (uint32_t)record;
            valid &= (uint32_t)record;
            t[n + j] = time;
            far |= far_off(time, last);
        }
        if (!(valid & 1) || (far && wary))
            break;
        for (size_t j = 0; j < BLOCK; j++)
            x[n + j] = (uint16_t)(words[j] >> 17);
        for (size_t j = 0; j < BLOCK; j++)
            y[n + j] = (uint16_t)(words[j] >> 2 & 0x7FFF);
        for (size_t j = 0; j < BLOCK; j++)
            p[n + j] = words[j] >> 1 & 1;
        last = t[n + BLOCK - 1];
    }
    state->last = last;
    out->n = n;
    return i;
}

AE_INLINE size_t polarity_with(const uint8_t *data, size_t records, ae_aedat *state,
                               ae_columns *out)
{
    size_t i = 0;
    while (i < records && out->n < out->capacity) {
        if (state->started)
            i += polarity_blocks(data + 8 * i, records - i, state, out);
        for (size_t j = 0; j < BLOCK && i < records && out->n < out->capacity; j++, i++) {
            uint32_t word = ae_load32(data + 8 * i);
            int64_t t = state->base + (int32_t)ae_load32(data + 8 * i + 4);
            if (!(word & 1)) {
                state->invalid++;
                continue;
            }
            if (stops(t, state))
                return i;
            event(t, word >> 17, word >> 2 & 0x7FFF, word >> 1 & 1, out);
        }
    }
    return i;
}

/* ---- 1.0 and 2.0 ------------------------------------------------------------------------------ */

/* The time nearest to the last whose low 32 bits these are. */
AE_INLINE int64_t unwrapped(uint32_t time, const ae_aedat *state)
{
    int64_t last = state->last;
    return state->started ? last + (int32_t)(time - (uint32_t)last) : (int64_t)time;
}

AE_INLINE void addressed(int64_t t, uint32_t address, const ae_aedat *state, ae_columns *out)
{
    uint32_t x = address >> state->x_shift & (uint32_t)state->x_mask;
    uint32_t y = address >> state->y_shift & (uint32_t)state->y_mask;
    int p = (address & (uint32_t)state->polarity) == (uint32_t)state->on;
    event(t, (uint32_t)state->right - x, (uint32_t)state->bottom - y, p, out);
}

AE_INLINE size_t addresses_blocks(const uint8_t *data, size_t records, ae_aedat *state,
                                  ae_columns *out)
{
    size_t i = 0, n = out->n;
    int64_t last = state->last, wary = state->wary;
    const uint32_t x_mask = (uint32_t)state->x_mask, y_mask = (uint32_t)state->y_mask;
    const uint32_t other = (uint32_t)state->other, polarity = (uint32_t)state->polarity;
    const uint32_t on = (uint32_t)state->on;
    const uint32_t right = (uint32_t)state->right, bottom = (uint32_t)state->bottom;
    const int x_shift = (int)state->x_shift, y_shift = (int)state->y_shift;
    int64_t *restrict t = out->t;
    uint16_t *restrict x = out->x, *restrict y = out->y;
    uint8_t *restrict p = out->p;
    for (; i + BLOCK <= records && n + BLOCK <= out->capacity; i += BLOCK, n += BLOCK) {
        const uint8_t *block = data + 8 * i;
        uint32_t words[BLOCK], none = 0, far = 0;
        int32_t steps[BLOCK];
        for (size_t j = 0; j < BLOCK; j++) {
            words[j] = big32(block + 8 * j);
            steps[j] = (int32_t)(big32(block + 8 * j + 4) - (uint32_t)last);
            none |= words[j] & other;
            far |= ((uint32_t)steps[j] + NEAR) & ~(2 * (uint32_t)NEAR - 1);
        }
        if (none || (far && wary))
            break;
        for (size_t j = 0; j < BLOCK; j++)
            t[n + j] = last + steps[j];
        for (size_t j = 0; j < BLOCK; j++)
            x[n + j] = (uint16_t)(right - (words[j] >> x_shift & x_mask));
        for (size_t j = 0; j < BLOCK; j++)
            y[n + j] = (uint16_t)(bottom - (words[j] >> y_shift & y_mask));
        for (size_t j = 0; j < BLOCK; j++)
            p[n + j] = (words[j] & polarity) == on;
        last = t[n + BLOCK - 1];
    }
    state->last = last;
    out->n = n;
    return i;
}

AE_INLINE size_t addresses_with(const uint8_t *data, size_t records, ae_aedat *state,
                                ae_columns *out)
{
    size_t i = 0, size = state->old ? 6 : 8;
    while (i < records && out->n < out->capacity) {
        if (state->started && !state->old && state->wary)
            i += addresses_blocks(data + 8 * i, records - i, state, out);
        for (size_t j = 0; j < BLOCK && i < records && out->n < out->capacity; j++, i++) {
            const uint8_t *record = data + size * i;
            uint32_t address = state->old ? (uint32_t)record[0] << 8 | record[1] : big32(record);
            int64_t t = unwrapped(big32(record + size - 4), state);
            uint32_t others = address & (uint32_t)state->other;
            int edge = others && others == (uint32_t)state->input;
            if ((edge && out->triggers == out->trigger_capacity) || stops(t, state))
                return i;
            if (!others) {
                addressed(t, address, state, out);
            } else if (edge) {
                out->trigger_t[out->triggers] = t;
                out->trigger_id[out->triggers] = 0;
                out->trigger_value[out->triggers++] = state->falls ? 0 : (address & 7) != 2;
            }
        }
    }
    return i;
}

/* ---- 4.0, writing ----------------------------------------------------------------------------- */

AE_INLINE void store64(uint8_t *bytes, uint64_t word)
{
    ae_store32(ae_store32(bytes, (uint32_t)word), (uint32_t)(word >> 32));
}

AE_INLINE void write_structs(const int64_t *t, const uint16_t *x, const uint16_t *y,
                             const uint8_t *p, size_t n, uint8_t *restrict out, int64_t *range)
{
    int64_t least = range[0], most = range[1];
    for (size_t k = 0; k < n; k++) {
        store64(out + 16 * k, (uint64_t)t[k]);
        store64(out + 16 * k + 8, x[k] | (uint64_t)y[k] << 16 | (uint64_t)(p[k] != 0) << 32);
        least = t[k] < least ? t[k] : least;
        most = t[k] > most ? t[k] : most;
    }
    range[0] = least;
    range[1] = most;
}

/* ---- for each instruction set ----------------------------------------------------------------- */

typedef void writer(const int64_t *, const uint16_t *, const uint16_t *, const uint8_t *, size_t,
                    uint8_t *, int64_t *);

#define LEVEL(NAME, SUFFIX, TARGET)                                                                \
    TARGET static size_t NAME##_##SUFFIX(const uint8_t *data, size_t records, ae_aedat *state,     \
                                         ae_columns *out)                                          \
    {                                                                                              \
        return NAME##_with(data, records, state, out);                                             \
    }
#define WRITER(SUFFIX, TARGET)                                                                     \
    TARGET static void write_##SUFFIX(const int64_t *t, const uint16_t *x, const uint16_t *y,      \
                                      const uint8_t *p, size_t n, uint8_t *out, int64_t *range)    \
    {                                                                                              \
        write_structs(t, x, y, p, n, out, range);                                                  \
    }
#define LEVELS(SUFFIX, TARGET)                                                                     \
    WRITER(SUFFIX, TARGET)                                                                         \
    LEVEL(polarity, SUFFIX, TARGET)                                                                \
    LEVEL(addresses, SUFFIX, TARGET)

LEVELS(base, )
LEVEL(structs, base, )
#if AE_X86
LEVELS(v3, AE_V3)
LEVELS(v4, AE_V4)
LEVEL(structs, v3, AE_V3)
AE_V4 static size_t structs_v4(const uint8_t *data, size_t records, ae_aedat *state,
                               ae_columns *out)
{
    return structs_by(structs_blocks_v4, data, records, state, out);
}
#endif

static decoder *structs = structs_base, *polarity = polarity_base, *addresses = addresses_base;
static writer *write_events = write_base;

void ae_aedat_select(int level)
{
    structs = structs_base;
    polarity = polarity_base;
    addresses = addresses_base;
    write_events = write_base;
#if AE_X86
    if (level >= 3) {
        structs = level >= 4 ? structs_v4 : structs_v3;
        polarity = level >= 4 ? polarity_v4 : polarity_v3;
        addresses = level >= 4 ? addresses_v4 : addresses_v3;
        write_events = level >= 4 ? write_v4 : write_v3;
    }
#else
    (void)level;
#endif
}

size_t ae_aedat4_decode(const uint8_t *data, size_t records, ae_aedat *state, ae_columns *out)
{
    return structs(data, records, state, out);
}

/* The length of the packet with this head; 0 if it is not of that form. */
AE_INLINE size_t packet_length(const uint8_t *data, size_t length)
{
    if (length < AE_PACKET + AE_EVENTS || ae_load32(data) > INT32_MAX ||
        memcmp(data + AE_PACKET + 4, ae_before_events, sizeof ae_before_events))
        return 0;
    uint64_t size = ae_load32(data + 4), events = ae_load32(data + AE_PACKET + AE_EVENTS - 4);
    uint64_t least = AE_EVENTS + 16 * events;
    if (size > AE_AEDAT4_MOST || size != (uint64_t)ae_load32(data + AE_PACKET) + 4 || size < least ||
        size >= least + 16)
        return 0;
    return AE_PACKET + size;
}

size_t ae_aedat4_packets(const uint8_t *data, size_t length, int64_t stream, ae_aedat *state,
                         ae_columns *out)
{
    size_t at = 0, size = packet_length(data, length);
    while (size && size < length - at && ae_load32(data + at) == stream) {
        size_t events = ae_load32(data + at + AE_PACKET + AE_EVENTS - 4), n = out->n;
        size_t next = packet_length(data + at + size, length - at - size);
        ae_aedat before = *state;
        if (!next || events > out->capacity - n)
            break;
        if (structs(data + at + AE_PACKET + AE_EVENTS, events, state, out) < events) {
            *state = before;
            out->n = n;
            break;
        }
        at += size;
        size = next;
    }
    return at;
}

size_t ae_aedat3_decode(const uint8_t *data, size_t records, ae_aedat *state, ae_columns *out)
{
    return polarity(data, records, state, out);
}

size_t ae_aedat2_decode(const uint8_t *data, size_t records, ae_aedat *state, ae_columns *out)
{
    return addresses(data, records, state, out);
}

void ae_aedat4_encode(const int64_t *t, const uint16_t *x, const uint16_t *y, const uint8_t *p,
                      size_t n, uint8_t *out, int64_t *range)
{
    write_events(t, x, y, p, n, out, range);
}
