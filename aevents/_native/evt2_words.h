/* What EVT2, EVT2.1 and EVT4 share: the clock of 34 bits; EVT2 and EVT4: the 32-bit words of events;
 * EVT2.1 and EVT4: vectors, of which bit i of a mask is an event at x + i.
 *
 *   event         31-28 type and polarity, 27-22 low 6 bits of t, 21-11 x, 10-0 y
 *   EXT_TRIGGER   31-28 type, 27-22 low 6 bits of t, 12-8 id, 0 value
 *   TIME_HIGH     31-28 type, 27-0 bits 33-6 of t
 *
 * The upper half of an EVT2.1 word is laid out like them. */
#ifndef AEVENTS_EVT2_WORDS_H
#define AEVENTS_EVT2_WORDS_H
#include "clock.h"
#include "cpu.h"
#include "kernels.h"

/* ---- reading ---------------------------------------------------------------------------------- */

#define CLOCK_RANGE ((int64_t)1 << 34)     /* us: 4 h 46 min */
#define HALF_HIGH ((int64_t)1 << 27)       /* half the range, in units of TIME_HIGH */
#define HALF_LOW 32                        /* half of what the low bits count, us */

AE_INLINE int64_t high_time(const ae_evt2 *state)
{
    return state->loop + (state->high << 6);
}

/* Only a fall of more than half the range is a roll-over: sensors repeat TIME_HIGH, and merged
 * streams step back a little. */
static void time_high(int64_t high, ae_evt2 *state)
{
    if (state->high - high > HALF_HIGH)
        state->loop += CLOCK_RANGE;
    if (state->high != high)
        state->low = 0;
    if (!state->started)
        state->unsorted = 0;
    state->high = high;
    state->started = 1;
}

AE_INLINE int64_t low_of(uint32_t word)
{
    return word >> 22 & 63;
}

/* Whether an event is so much earlier than the one before it that a TIME_HIGH may be missing. */
AE_INLINE int falls(uint32_t word, const ae_evt2 *state)
{
    return low_of(word) + HALF_LOW <= state->low && !state->unsorted && !state->trusted;
}

/* Says what a word, or the upper half of one, is to the clock: one of AE_PLAIN and so on. */
typedef int kind_function(uint32_t word);

/* Returns the time, modulo the clock's range, where the stream is behind TIME_HIGH `i`, given the
 * time before it. The next word must be there. */
AE_INLINE int64_t time_after(kind_function *kind, const uint8_t *data, size_t stride, size_t i,
                             int64_t before)
{
    int64_t high = ae_load32(data + stride * i) & 0xFFFFFFF;
    uint32_t next = ae_load32(data + stride * (i + 1));
    if (kind(next) == AE_TIMED || kind(next) == AE_VECTOR)
        return (high << 6) + low_of(next);
    return (high << 6) + (before >> 6 == high ? before & 63 : 0);
}

/* Whether TIME_HIGH `i` may be taken: see clock.h. `data` points at the words, or at the upper
 * halves of words, `stride` bytes apart. */
AE_INLINE int believed(kind_function *kind, const uint8_t *data, size_t stride, size_t i,
                       size_t words, const ae_evt2 *state)
{
    if (i + 1 >= words)
        return 0;
    int64_t before = (state->high << 6) + state->low;
    int64_t now = time_after(kind, data, stride, i, before);
    if (state->started && ae_joins(before, now, 6, 34, HALF_LOW))
        return 1;
    if (state->started && !ae_joins(before, now, 6, 34, AE_LEAP))
        return 0;
    size_t end = words - i > AE_LOOK ? i + AE_LOOK : words;
    for (size_t j = i + 1; j + 1 < end; j++) {
        uint32_t word = ae_load32(data + stride * j);
        int is = kind(word);
        if (is == AE_RESERVED && !state->lenient)
            return 0;
        if (is == AE_HIGH)
            return ae_joins(now, time_after(kind, data, stride, j, now), 6, 34,
                            state->started ? AE_LEAP : HALF_LOW);
        if (is == AE_TIMED || is == AE_VECTOR)
            now = (now & ~(int64_t)63) + low_of(word);
        j += is == AE_VECTOR;
    }
    return 0;
}

/* Whether the word cannot be taken as it is. */
AE_INLINE int doubtful(kind_function *kind, const uint8_t *data, size_t stride, size_t i,
                       size_t words, const ae_evt2 *state)
{
    uint32_t word = ae_load32(data + stride * i);
    if (state->trusted)
        return 0;
    if (kind(word) == AE_HIGH)
        return !believed(kind, data, stride, i, words, state);
    if (!state->started)
        return !state->unsorted;
    switch (kind(word)) {
    case AE_TIMED: case AE_VECTOR:
        return falls(word, state);
    case AE_RESERVED:
        return !state->lenient;
    }
    return 0;
}

/* Appends a trigger. Returns 0 if there is no room for it. */
AE_INLINE int trigger_word(uint32_t word, ae_evt2 *state, ae_columns *out)
{
    if (!state->started) {
        state->untimed++;
        return 1;
    }
    if (out->triggers >= out->trigger_capacity)
        return 0;
    out->trigger_t[out->triggers] = high_time(state) + (word >> 22 & 63);
    out->trigger_id[out->triggers] = word >> 8 & 31;
    out->trigger_value[out->triggers] = word & 1;
    out->triggers++;
    return 1;
}

/* How many events a mask has. */
AE_INLINE int64_t events_in(uint32_t mask)
{
    int64_t count = 0;
    for (; mask; mask &= mask - 1)
        count++;
    return count;
}

AE_INLINE uint32_t lowest_bit(uint32_t mask)
{
#ifdef __GNUC__
    return (uint32_t)__builtin_ctz(mask);
#else
    uint32_t bit = 0;
    for (; !(mask & 1); mask >>= 1)
        bit++;
    return bit;
#endif
}

/* Writes the events of a vector from slot `n` on; returns the slot after the last. */
AE_INLINE size_t spread(uint32_t word, uint32_t mask, int64_t time, const ae_columns *out, size_t n)
{
    uint32_t x = word >> 11 & 0x7FF;
    for (; mask; mask &= mask - 1, n++) {
        out->t[n] = time + (word >> 22 & 63);
        out->x[n] = (uint16_t)(x + lowest_bit(mask));
        out->y[n] = word & 0x7FF;
        out->p[n] = word >> 28 & 1;
    }
    return n;
}

/* Decodes event words from word `i` on, until one is something else, or is earlier than the one
 * before it so that the low bits of its time lose their top bit, or room ends; returns the word it
 * stopped at. `kind` has the bits 31-29 of events. */
typedef size_t events_function(const uint8_t *data, size_t i, size_t words, uint32_t kind,
                               size_t limit, ae_evt2 *state, ae_columns *out);

#define TOP_LOW ((uint32_t)HALF_LOW << 22) /* in a word: the top bit of the low bits of its time */

AE_INLINE size_t events_base(const uint8_t *data, size_t i, size_t words, uint32_t kind,
                             size_t limit, ae_evt2 *state, ae_columns *out)
{
    const int64_t time = high_time(state);
    uint32_t before = (uint32_t)state->low << 22;
    size_t n = out->n;
    for (; i < words && n <= limit; i++, n++) {
        uint32_t word = ae_load32(data + 4 * i) ^ kind;
        if (word >> 29 || (before & ~word & TOP_LOW))
            break;
        before = word;
        out->t[n] = time + (word >> 22 & 63);
        out->x[n] = word >> 11 & 0x7FF;
        out->y[n] = word & 0x7FF;
        out->p[n] = (uint8_t)(word >> 28);
    }
    out->n = n;
    state->low = low_of(before);
    return i;
}

/* The same, over all events that are no doubt to be taken. */
AE_INLINE size_t sure_events(events_function *events, const uint8_t *data, size_t i, size_t words,
                             uint32_t kind, size_t limit, ae_evt2 *state, ae_columns *out)
{
    for (;;) {
        i = events(data, i, words, kind, limit, state, out);
        if (i >= words || out->n > limit)
            return i;
        uint32_t word = ae_load32(data + 4 * i) ^ kind;
        if (word >> 29 || falls(word, state))
            return i;
        state->low = low_of(word);
    }
}

#if AE_X86

/* Ends a run of events, the last `taken` of them past slot `n` and word `i`; returns the next. */
AE_INLINE size_t events_end(size_t i, size_t n, unsigned taken, ae_evt2 *state, ae_columns *out)
{
    n += taken;
    if (n > out->n)
        state->low = out->t[n - 1] & 63;
    out->n = n;
    return i + taken;
}

/* Eight words at a time: all are decoded, and as many count as come before the first word of
 * another type; the rest is overwritten by what follows. */
AE_V3 AE_INLINE size_t events_v3(const uint8_t *data, size_t i, size_t words, uint32_t kind,
                                 size_t limit, ae_evt2 *state, ae_columns *out)
{
    const int64_t time = high_time(state);
    unsigned before = (unsigned)state->low >> 5;
    const __m256i eleven = _mm256_set1_epi32(0x7FF), six = _mm256_set1_epi32(63);
    const __m256i not_event = _mm256_set1_epi32((int)0xE0000000), high = _mm256_set1_epi64x(time);
    const __m256i event_kind = _mm256_set1_epi32((int)kind);
    int64_t *t = out->t;
    uint16_t *x = out->x, *y = out->y;
    uint8_t *p = out->p;
    size_t n = out->n;
    while (i + 8 <= words && n + 8 <= limit) {
        __m256i word = _mm256_loadu_si256((const void *)(data + 4 * i));
        word = _mm256_xor_si256(word, event_kind);
        __m256i columns = _mm256_and_si256(_mm256_srli_epi32(word, 11), eleven);
        __m256i rows = _mm256_and_si256(word, eleven);
        __m256i both = _mm256_permute4x64_epi64(_mm256_packus_epi32(columns, rows), 0xD8);
        _mm_storeu_si128((void *)(x + n), _mm256_castsi256_si128(both));
        _mm_storeu_si128((void *)(y + n), _mm256_extracti128_si256(both, 1));
        __m256i on = _mm256_srli_epi32(word, 28);
        __m128i on16 = _mm_packus_epi32(_mm256_castsi256_si128(on), _mm256_extracti128_si256(on, 1));
        _mm_storel_epi64((void *)(p + n), _mm_packus_epi16(on16, on16));
        __m256i low = _mm256_and_si256(_mm256_srli_epi32(word, 22), six);
        __m256i low0 = _mm256_cvtepu32_epi64(_mm256_castsi256_si128(low));
        __m256i low1 = _mm256_cvtepu32_epi64(_mm256_extracti128_si256(low, 1));
        _mm256_storeu_si256((void *)(t + n), _mm256_add_epi64(high, low0));
        _mm256_storeu_si256((void *)(t + n + 4), _mm256_add_epi64(high, low1));
        unsigned top = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_slli_epi32(word, 4)));
        unsigned fall = ~top & (top << 1 | before);
        if (!_mm256_testz_si256(word, not_event) || (fall & 255)) {
            __m256i event = _mm256_cmpeq_epi32(_mm256_and_si256(word, not_event),
                                               _mm256_setzero_si256());
            unsigned good = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(event)) & ~fall;
            return events_end(i, n, (unsigned)__builtin_ctz(~good), state, out);
        }
        before = top >> 7;
        n += 8;
        i += 8;
    }
    events_end(i, n, 0, state, out);
    return events_base(data, i, words, kind, limit, state, out);
}

/* The same, sixteen words at a time. */
AE_V4 AE_INLINE size_t events_v4(const uint8_t *data, size_t i, size_t words, uint32_t kind,
                                 size_t limit, ae_evt2 *state, ae_columns *out)
{
    const int64_t time = high_time(state);
    const __m512i top_low = _mm512_set1_epi32((int)TOP_LOW);
    unsigned before = (unsigned)state->low >> 5;
    const __m512i eleven = _mm512_set1_epi32(0x7FF), six = _mm512_set1_epi32(63);
    const __m512i not_event = _mm512_set1_epi32((int)0xE0000000), high = _mm512_set1_epi64(time);
    const __m512i event_kind = _mm512_set1_epi32((int)kind);
    int64_t *t = out->t;
    uint16_t *x = out->x, *y = out->y;
    uint8_t *p = out->p;
    size_t n = out->n;
    while (i + 16 <= words && n + 16 <= limit) {
        __m512i word = _mm512_xor_si512(_mm512_loadu_si512(data + 4 * i), event_kind);
        __m512i columns = _mm512_and_si512(_mm512_srli_epi32(word, 11), eleven);
        _mm256_storeu_si256((void *)(x + n), _mm512_cvtepi32_epi16(columns));
        __m512i rows = _mm512_and_si512(word, eleven);
        _mm256_storeu_si256((void *)(y + n), _mm512_cvtepi32_epi16(rows));
        _mm_storeu_si128((void *)(p + n), _mm512_cvtepi32_epi8(_mm512_srli_epi32(word, 28)));
        __m512i low = _mm512_and_si512(_mm512_srli_epi32(word, 22), six);
        __m512i low0 = _mm512_cvtepu32_epi64(_mm512_castsi512_si256(low));
        __m512i low1 = _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(low, 1));
        _mm512_storeu_si512(t + n, _mm512_add_epi64(high, low0));
        _mm512_storeu_si512(t + n + 8, _mm512_add_epi64(high, low1));
        unsigned top = _mm512_test_epi32_mask(word, top_low);
        unsigned other = _mm512_test_epi32_mask(word, not_event);
        other |= ~top & (top << 1 | before) & 0xFFFF;
        if (other)
            return events_end(i, n, (unsigned)__builtin_ctz(other), state, out);
        before = top >> 15;
        n += 16;
        i += 16;
    }
    events_end(i, n, 0, state, out);
    return events_base(data, i, words, kind, limit, state, out);
}

#endif

/* ---- writing ---------------------------------------------------------------------------------- */

/* A fall of more than half the range reads as a roll-over, so time may go back by less only. */
#define ROLLS_OVER (HALF_HIGH + 1)

/* Writes the TIME_HIGH word of a value. */
typedef uint8_t *high_function(uint8_t *out, uint32_t high, const ae_encoder *state);

/* Writes TIME_HIGH words until the decoder's clock stands at event time `t`, as room allows: one
 * takes at most `most` bytes with the event after it. Returns the end of what it wrote, or NULL if
 * no words lead there. */
AE_INLINE uint8_t *write_clock(high_function *write_high, uint8_t *out, const uint8_t *end,
                               ptrdiff_t most, int64_t t, ae_encoder *state)
{
    int64_t goal = t >> 6, now = state->started ? state->time >> 6 : 0;
    while ((now != goal || !state->started) && end - out >= most) {
        now = ae_next_high(now, goal, 28, ROLLS_OVER);
        if (now < 0)
            return NULL;
        out = write_high(out, (uint32_t)(now & 0xFFFFFFF), state);
        state->started = 1;
        state->time = now << 6;
    }
    return out;
}

/* Whether a word can hold the event. */
AE_INLINE int fits(const ae_columns *in, size_t k)
{
    return in->t[k] >= 0 && in->x[k] <= 0x7FF && in->y[k] <= 0x7FF;
}

/* Returns the fields of an event, all but the type; the polarity in bit 28. */
AE_INLINE uint32_t event_word(const ae_columns *in, size_t k, uint32_t x)
{
    return (uint32_t)(in->p[k] != 0) << 28 | (uint32_t)(in->t[k] & 63) << 22 | x << 11 | in->y[k];
}

/* Collects the events that one vector holds with event `k`: of its time, row and polarity, in
 * ascending columns, in the same 32 from a multiple of 32 on, as cameras write them. Returns the
 * index after the last. */
AE_INLINE size_t neighbours(const ae_columns *in, size_t k, uint32_t *mask)
{
    size_t i = k;
    *mask = 0;
    do
        *mask |= (uint32_t)1 << (in->x[i] & 31);
    while (++i < in->n && in->t[i] == in->t[k] && in->y[i] == in->y[k] &&
           !in->p[i] == !in->p[k] && in->x[i] > in->x[i - 1] && (in->x[i] ^ in->x[k]) < 32);
    return i;
}

#endif
