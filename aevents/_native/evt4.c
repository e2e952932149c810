/* EVT 4.0: 32-bit little-endian words, the type in bits 31-28. Layout: docs/formats, "EVT4".
 *
 *   0xA OFF, 0xB ON            27-22 low 6 bits of t, 21-11 x, 10-0 y
 *   0xC VEC_OFF, 0xD VEC_ON    the same; bit i of the next word: an event at x + i
 *   0xE TIME_HIGH              27-0 bits 33-6 of t
 *   0x9 EXT_TRIGGER            27-22 low 6 bits of t, 12-8 id, 0 value
 *   0x6 OTHERS, 0x7 CONTINUED, 0xF PADDING    skipped
 *
 * The word after a vector is bits alone, whatever type it seems to have. */
#include "dispatch.h"
#include "evt2_words.h"
#include "vectors_v4.h"

enum { OTHERS = 6, CONTINUED, EXT_TRIGGER = 9, OFF, ON, VEC_OFF, VEC_ON, TIME_HIGH, PADDING };

#define EVENTS ((uint32_t)OFF << 28)       /* bits 31-29 of events */

/* The second half of a vector. */
AE_INLINE void mask_word(uint32_t mask, ae_evt2 *state, ae_columns *out)
{
    if (state->started)
        out->n = spread((uint32_t)state->vector, mask, high_time(state), out, out->n);
    else
        state->untimed += events_in(mask);
    state->vector = 0;
}

/* A word that `events` does not take. Returns 0 if it is a trigger that has no room. */
AE_INLINE int other_word(uint32_t word, ae_evt2 *state, ae_columns *out)
{
    uint32_t type = word >> 28;
    if (state->vector)
        mask_word(word, state, out);
    else if (type == VEC_OFF || type == VEC_ON)
        state->vector = word;
    else if (type == TIME_HIGH)
        time_high(word & 0xFFFFFFF, state);
    else if (type == EXT_TRIGGER)
        return trigger_word(word, state, out);
    else if (type == OFF || type == ON)
        state->untimed++;
    else if (type != OTHERS && type != CONTINUED && type != PADDING)
        state->unknown++;
    return 1;
}

/* `events` decodes what is usual, the inner loop what stopped it: vectors come in rows. */
AE_INLINE size_t decode_with(events_function *events, const uint8_t *data, size_t words,
                             ae_evt2 *state, ae_columns *out)
{
    if (out->capacity < AE_SLACK)
        return 0;
    size_t i = 0, limit = out->capacity - AE_SLACK;
    while (i < words && out->n <= limit) {
        if (state->started && !state->vector) {
            i = events(data, i, words, EVENTS, high_time(state), limit, out);
            if (i == words || out->n > limit)
                break;
        }
        do {
            if (!other_word(ae_load32(data + 4 * i), state, out))
                return i;
            i++;
        } while (i < words && out->n <= limit &&
                 (state->vector || ae_load32(data + 4 * i) >> 29 != EVENTS >> 29));
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

void ae_evt4_select(int level)
{
    decode = decode_base;
#if AE_X86
    if (level >= 3)
        decode = level >= 4 ? decode_v4 : decode_v3;
#else
    (void)level;
#endif
}

size_t ae_evt4_decode(const uint8_t *data, size_t words, ae_evt2 *state, ae_columns *out)
{
    return decode(data, words, state, out);
}

/* ---- writing ---------------------------------------------------------------------------------- */

#define WORTH_A_VECTOR 3                   /* two events are as long by themselves */

AE_INLINE uint8_t *write_high(uint8_t *out, uint32_t high, const ae_encoder *state)
{
    (void)state;
    return ae_store32(out, (uint32_t)TIME_HIGH << 28 | high);
}

/* Whether `k` may begin a vector: the last of as few events as are worth one is of its time, row and
 * polarity, and to the right of it in the same 32 columns. */
AE_INLINE int may_be_vector(const ae_columns *in, size_t k)
{
    const size_t last = k + WORTH_A_VECTOR - 1;
    return (in->t[last] == in->t[k]) & (in->y[last] == in->y[k]) & (in->x[last] > in->x[k]) &
           ((in->x[last] ^ in->x[k]) < 32) & (!in->p[last] == !in->p[k]);
}

/* Writes the events that need no TIME_HIGH and that no vector begins with, which are most. Returns
 * the end of what it wrote. */
static uint8_t *write_singles(uint8_t *out, const uint8_t *end, const ae_columns *columns,
                                 ae_encoder *state)
{
    const ae_columns in = *columns;
    const int64_t high = state->time >> 6;
    size_t k = (size_t)state->next;
    for (; k + WORTH_A_VECTOR <= in.n && end - out >= 12; k++) {
        if (in.t[k] >> 6 != high || (in.x[k] | in.y[k]) > 0x7FF || may_be_vector(&in, k))
            break;
        out = ae_store32(out, EVENTS | event_word(&in, k, in.x[k]));
    }
    if (k > (size_t)state->next)
        state->time = in.t[k - 1];
    state->next = (int64_t)k;
    return out;
}

#if AE_X86

/* Writes the events that need no TIME_HIGH, sixteen at a time. Each vector or single event has a
 * word in its first lane; the next lane has the bits of a vector, or the second of two events. */
AE_V4 static uint8_t *write_v4(uint8_t *out, const uint8_t *end, const ae_columns *columns,
                               ae_encoder *state)
{
    const __m512i single = _mm512_set1_epi32((int)EVENTS);
    const __m512i vector = _mm512_set1_epi32((int)((uint32_t)VEC_OFF << 28));
    const __m512i before = _mm512_set_epi32(14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 15);
    const ae_columns in = *columns;
    const int64_t high = state->time >> 6;
    size_t k = (size_t)state->next;
    while (k + LANES <= in.n && end - out >= 4 * LANES) {
        lanes_v4 lanes = lanes_at(&in, k, high);
        if (!lanes.count)
            break;
        uint32_t second = (lanes.first & lanes.joined) << 1;
        uint32_t three = lanes.first & lanes.joined & lanes.joined >> 1;
        __m512i word = _mm512_or_si512(single, _mm512_or_si512(lanes.fields, lanes.column));
        word = _mm512_mask_or_epi32(word, (__mmask16)three, lanes.fields, vector);
        word = _mm512_mask_permutexvar_epi32(word, (__mmask16)(three << 1), before, lanes.mask);
        word = _mm512_maskz_compress_epi32((__mmask16)(lanes.first | second), word);
        _mm512_storeu_si512(out, word);
        out += 4 * __builtin_popcount(lanes.first | second);
        k += lanes.count;
    }
    if (k > (size_t)state->next)
        state->time = in.t[k - 1];
    state->next = (int64_t)k;
    return out;
}

#endif

static uint8_t *(*write_on)(uint8_t *, const uint8_t *, const ae_columns *, ae_encoder *) =
    write_singles;

void ae_evt4_write_select(int level)
{
    write_on = write_singles;
#if AE_X86
    if (level >= 4)
        write_on = write_v4;
#else
    (void)level;
#endif
}

size_t ae_evt4_encode(const ae_columns *in, ae_encoder *state, uint8_t *out, size_t capacity)
{
    uint8_t *cursor = out;
    const uint8_t *end = out + capacity;
    state->refused = 0;
    while ((size_t)state->next < in->n && end - cursor >= 12) {
        size_t k = (size_t)state->next;
        int64_t t = in->t[k];
        uint8_t *timed = fits(in, k) ? write_clock(write_high, cursor, end, 12, t, state) : NULL;
        state->refused = timed == NULL;
        if (state->refused)
            break;
        cursor = timed;
        if (state->time >> 6 != t >> 6 || end - cursor < 8)
            break;                          /* no room; the clock goes on from state->time */
        uint32_t mask;
        size_t next = neighbours(in, k, &mask);
        if (next - k >= WORTH_A_VECTOR) {
            uint32_t word = event_word(in, k, in->x[k] & ~31u);
            cursor = ae_store32(ae_store32(cursor, (uint32_t)VEC_OFF << 28 | word), mask);
        } else {
            next = k + 1;
            cursor = ae_store32(cursor, EVENTS | event_word(in, k, in->x[k]));
        }
        state->time = t;
        state->next = (int64_t)next;
        cursor = write_on(cursor, end, in, state);
    }
    return (size_t)(cursor - out);
}
