/* EVT 2.1: 64-bit words, the type in bits 63-60. Layout: docs/formats, "EVT2.1".
 *
 *   0x0 OFF, 0x1 ON    59-54 low 6 bits of t, 53-43 x, 42-32 y; bit i of 31-0: an event at x + i
 *   0x8 TIME_HIGH      59-32 bits 33-6 of t
 *   0xA EXT_TRIGGER    59-54 low 6 bits of t, 44-40 id, 32 value
 *   0xE OTHERS, 0xF CONTINUED    skipped
 *
 * Words are little-endian or, in "legacy" streams, two little-endian halves, the upper first. */
#include "dispatch.h"
#include "evt2_words.h"
#include "vectors_v4.h"

enum { TIME_HIGH = 8, EXT_TRIGGER = 10, OTHERS = 14 };

/* A word by its upper half. Returns 0 if it is a trigger that has no room. */
AE_INLINE int any_word(uint32_t word, uint32_t mask, ae_evt2 *state, ae_columns *out)
{
    uint32_t type = word >> 28;
    if (type < 2) {
        if (state->started)
            out->n = spread(word, mask, high_time(state), out, out->n);
        else
            state->untimed += events_in(mask);
    } else if (type == TIME_HIGH) {
        time_high(word & 0xFFFFFFF, state);
    } else if (type == EXT_TRIGGER) {
        return trigger_word(word, state, out);
    } else if (type < OTHERS) {
        state->unknown++;
    }
    return 1;
}

AE_INLINE size_t decode_from(const uint8_t *upper, const uint8_t *lower, size_t words,
                             ae_evt2 *state, ae_columns *out)
{
    size_t i = 0, limit = out->capacity - AE_SLACK;
    for (; i < words && out->n <= limit; i++)
        if (!any_word(ae_load32(upper + 8 * i), ae_load32(lower + 8 * i), state, out))
            break;
    return i;
}

size_t ae_evt21_decode(const uint8_t *data, size_t words, ae_evt2 *state, ae_columns *out)
{
    if (out->capacity < AE_SLACK)
        return 0;
    size_t upper = state->legacy ? 0 : 4;
    return decode_from(data + upper, data + (4 - upper), words, state, out);
}

/* ---- writing ---------------------------------------------------------------------------------- */

AE_INLINE uint8_t *write_word(uint8_t *out, uint32_t upper, uint32_t lower, const ae_encoder *state)
{
    ae_store32(out + (state->legacy ? 0 : 4), upper);
    ae_store32(out + (state->legacy ? 4 : 0), lower);
    return out + 8;
}

AE_INLINE uint8_t *write_high(uint8_t *out, uint32_t high, const ae_encoder *state)
{
    return write_word(out, (uint32_t)TIME_HIGH << 28 | high, 0, state);
}

/* Writes the vectors that need no TIME_HIGH, without a branch on where one ends: each event writes
 * its word, over the word of the event before it if it belongs to that. The last vector is left to
 * be written again, as what belongs to it may not have been seen. */
AE_INLINE uint8_t *vectors_in(uint8_t *out, const uint8_t *end, const ae_columns *columns,
                              int legacy, ae_encoder *state)
{
    const ae_columns in = *columns;
    const int64_t high = state->time >> 6;
    const size_t first = (size_t)state->next;
    size_t k = first, begin = first;                   /* of the last vector */
    uint8_t *last = out;                               /* its word */
    uint32_t mask = 0, x_before = UINT16_MAX, fields_before = 0;
    for (; k < in.n && end - last >= 24; k++) {
        uint32_t x = in.x[k];
        if (in.t[k] >> 6 != high || (x | in.y[k]) > 0x7FF)
            break;
        uint32_t fields = event_word(&in, k, x & ~31u);
        int same = (fields == fields_before) & (x > x_before);     /* t too: its rest is `high` */
        last += 8 * (!same & (k > first));
        begin = same ? begin : k;
        mask = (mask & (uint32_t)-same) | (uint32_t)1 << (x & 31);
        ae_store32(last + (legacy ? 0 : 4), fields);
        ae_store32(last + (legacy ? 4 : 0), mask);
        x_before = x, fields_before = fields;
    }
    if (begin > first)
        state->time = in.t[begin - 1];
    state->next = (int64_t)begin;
    return last;
}

static uint8_t *write_base(uint8_t *out, const uint8_t *end, const ae_columns *in,
                           ae_encoder *state)
{
    return state->legacy ? vectors_in(out, end, in, 1, state) : vectors_in(out, end, in, 0, state);
}

#if AE_X86

/* The same, sixteen events at a time. */
AE_V4 static uint8_t *write_v4(uint8_t *out, const uint8_t *end, const ae_columns *columns,
                               ae_encoder *state)
{
    const __m512i half = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512i other = _mm512_add_epi32(half, _mm512_set1_epi32(8));
    const ae_columns in = *columns;
    const int64_t high = state->time >> 6;
    const int legacy = state->legacy != 0;
    size_t k = (size_t)state->next;
    while (k + LANES <= in.n && end - out >= 8 * LANES) {
        lanes_v4 lanes = lanes_at(&in, k, high);
        if (!lanes.count)
            break;
        __m512i upper = _mm512_maskz_compress_epi32((__mmask16)lanes.first, lanes.fields);
        __m512i lower = _mm512_maskz_compress_epi32((__mmask16)lanes.first, lanes.mask);
        __m512i before = legacy ? upper : lower, behind = legacy ? lower : upper;
        _mm512_storeu_si512(out, _mm512_permutex2var_epi32(before, half, behind));
        _mm512_storeu_si512(out + 64, _mm512_permutex2var_epi32(before, other, behind));
        out += 8 * __builtin_popcount(lanes.first);
        k += lanes.count;
    }
    if (k > (size_t)state->next)
        state->time = in.t[k - 1];
    state->next = (int64_t)k;
    return out;
}

#endif

static uint8_t *(*write_vectors)(uint8_t *, const uint8_t *, const ae_columns *, ae_encoder *) =
    write_base;

void ae_evt21_write_select(int level)
{
    write_vectors = write_base;
#if AE_X86
    if (level >= 4)
        write_vectors = write_v4;
#else
    (void)level;
#endif
}

size_t ae_evt21_encode(const ae_columns *in, ae_encoder *state, uint8_t *out, size_t capacity)
{
    uint8_t *cursor = out;
    const uint8_t *end = out + capacity;
    state->refused = 0;
    while ((size_t)state->next < in->n && end - cursor >= 16) {
        size_t k = (size_t)state->next;
        int64_t t = in->t[k];
        uint8_t *timed = fits(in, k) ? write_clock(write_high, cursor, end, 16, t, state) : NULL;
        state->refused = timed == NULL;
        if (state->refused)
            break;
        cursor = timed;
        if (state->time >> 6 != t >> 6 || end - cursor < 8)
            break;                          /* no room; the clock goes on from state->time */
        uint32_t mask;
        size_t next = neighbours(in, k, &mask);
        cursor = write_word(cursor, event_word(in, k, in->x[k] & ~31u), mask, state);
        state->time = t;
        state->next = (int64_t)next;
        cursor = write_vectors(cursor, end, in, state);
    }
    return (size_t)(cursor - out);
}
