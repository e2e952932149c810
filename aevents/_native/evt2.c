/* EVT 2.0: 32-bit little-endian words, the type in bits 31-28. Layout: docs/formats, "EVT2".
 *
 *   0x0 OFF, 0x1 ON    27-22 low 6 bits of t, 21-11 x, 10-0 y
 *   0x8 TIME_HIGH      27-0 bits 33-6 of t
 *   0xA EXT_TRIGGER    27-22 low 6 bits of t, 12-8 id, 0 value
 *   0xD IMU, 0xE OTHERS, 0xF CONTINUED    skipped */
#include "dispatch.h"
#include "evt2_words.h"

enum { TIME_HIGH = 8, EXT_TRIGGER = 10, IMU = 13 };

enum { BLOCK = 32 };                       /* events that are written together */

/* A word that gives no event in `out`. Returns 0 if it is a trigger that has no room. */
static int other_word(uint32_t word, ae_evt2 *state, ae_columns *out)
{
    uint32_t type = word >> 28;
    if (type == TIME_HIGH) {
        time_high(word & 0xFFFFFFF, state);
    } else if (type < 2 || type == EXT_TRIGGER) {
        return trigger_word(word, state, out);
    } else if (type < IMU) {
        state->unknown++;
    }
    return 1;
}

AE_INLINE size_t decode_with(events_function *events, const uint8_t *data, size_t words,
                             ae_evt2 *state, ae_columns *out)
{
    if (out->capacity < AE_SLACK)
        return 0;
    size_t i = 0, limit = out->capacity - AE_SLACK;
    while (i < words && out->n <= limit) {
        if (state->started) {
            i = events(data, i, words, 0, high_time(state), limit, out);
            if (i == words || out->n > limit)
                break;
        }
        if (!other_word(ae_load32(data + 4 * i), state, out))
            break;
        i++;
    }
    return i;
}

static size_t decode_base(const uint8_t *data, size_t words, ae_evt2 *state, ae_columns *out)
{
    return decode_with(events_base, data, words, state, out);
}

#if AE_X86

AE_V3 static size_t decode_v3(const uint8_t *data, size_t words, ae_evt2 *state, ae_columns *out)
{
    return decode_with(events_v3, data, words, state, out);
}

AE_V4 static size_t decode_v4(const uint8_t *data, size_t words, ae_evt2 *state, ae_columns *out)
{
    return decode_with(events_v4, data, words, state, out);
}

#endif

static size_t (*decode)(const uint8_t *, size_t, ae_evt2 *, ae_columns *) = decode_base;

size_t ae_evt2_decode(const uint8_t *data, size_t words, ae_evt2 *state, ae_columns *out)
{
    return decode(data, words, state, out);
}

/* ---- writing ---------------------------------------------------------------------------------- */

AE_INLINE uint8_t *write_high(uint8_t *out, uint32_t high, const ae_encoder *state)
{
    (void)state;
    return ae_store32(out, (uint32_t)TIME_HIGH << 28 | high);
}

/* The words of events from `k` on, in blocks that need no TIME_HIGH and all fit: plain loops, which
 * the compiler turns into vector code. Returns how many, a multiple of BLOCK. */
AE_INLINE size_t blocks_with(const ae_columns *in, size_t k, int64_t high, uint8_t *out,
                             size_t room)
{
    const int64_t *t = in->t + k;
    const uint16_t *x = in->x + k, *y = in->y + k;
    const uint8_t *p = in->p + k;
    size_t n = in->n - k < room / 4 ? in->n - k : room / 4, i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        uint32_t words[BLOCK];
        int64_t moved = 0;
        uint16_t large = 0;
        for (size_t j = 0; j < BLOCK; j++) {
            moved |= t[i + j] ^ high << 6;
            large |= x[i + j] | y[i + j];
        }
        if (moved >> 6 || large > 0x7FF)
            break;
        for (size_t j = 0; j < BLOCK; j++)
            words[j] = (uint32_t)(p[i + j] != 0) << 28 | ((uint32_t)t[i + j] & 63) << 22 |
                       (uint32_t)x[i + j] << 11 | y[i + j];
        for (size_t j = 0; j < BLOCK; j++)
            ae_store32(out + 4 * (i + j), words[j]);
    }
    return i;
}

static size_t blocks_base(const ae_columns *in, size_t k, int64_t high, uint8_t *out, size_t room)
{
    return blocks_with(in, k, high, out, room);
}

#if AE_X86

AE_V3 static size_t blocks_v3(const ae_columns *in, size_t k, int64_t high, uint8_t *out,
                              size_t room)
{
    return blocks_with(in, k, high, out, room);
}
#endif

static size_t (*blocks)(const ae_columns *, size_t, int64_t, uint8_t *, size_t) = blocks_base;

size_t ae_evt2_encode(const ae_columns *in, ae_encoder *state, uint8_t *out, size_t capacity)
{
    uint8_t *cursor = out;
    const uint8_t *end = out + capacity;
    size_t k = (size_t)state->next, quick = k;     /* the event from which on to try blocks */
    state->refused = 0;
    while (k < in->n && end - cursor >= 8) {
        if (k >= quick && state->started) {
            size_t n = blocks(in, k, state->time >> 6, cursor, (size_t)(end - cursor));
            k += n, cursor += 4 * n, quick = k + BLOCK;
            state->time = n ? in->t[k - 1] : state->time;
            state->next = (int64_t)k;
            continue;
        }
        int64_t t = in->t[k];
        uint8_t *timed = fits(in, k) ? write_clock(write_high, cursor, end, 8, t, state) : NULL;
        state->refused = timed == NULL;
        if (state->refused)
            break;
        cursor = timed;
        if (state->time >> 6 != t >> 6 || end - cursor < 4)
            break;                          /* no room; the clock goes on from state->time */
        cursor = ae_store32(cursor, event_word(in, k, in->x[k]));
        state->time = t;
        state->next = (int64_t)++k;
    }
    return (size_t)(cursor - out);
}

/* ---- dispatch --------------------------------------------------------------------------------- */

void ae_evt2_select(int level)
{
    decode = decode_base;
    blocks = blocks_base;
#if AE_X86
    if (level >= 3) {
        decode = level >= 4 ? decode_v4 : decode_v3;
        blocks = blocks_v3;
    }
#else
    (void)level;
#endif
}
