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
    state->high = high;
    state->started = 1;
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

/* Decodes event words from word `i` on, until one is something else or room ends; returns the word
 * it stopped at. `kind` has the bits 31-29 of events. */
typedef size_t events_function(const uint8_t *data, size_t i, size_t words, uint32_t kind,
                               int64_t time, size_t limit, ae_columns *out);

AE_INLINE size_t events_base(const uint8_t *data, size_t i, size_t words, uint32_t kind,
                             int64_t time, size_t limit, ae_columns *out)
{
    size_t n = out->n;
    for (; i < words && n <= limit; i++, n++) {
        uint32_t word = ae_load32(data + 4 * i) ^ kind;
        if (word >> 29)
            break;
        out->t[n] = time + (word >> 22 & 63);
        out->x[n] = word >> 11 & 0x7FF;
        out->y[n] = word & 0x7FF;
        out->p[n] = (uint8_t)(word >> 28);
    }
    out->n = n;
    return i;
}

#if AE_X86

/* Eight words at a time: all are decoded, and as many count as come before the first word of
 * another type; the rest is overwritten by what follows. */
AE_V3 AE_INLINE size_t events_v3(const uint8_t *data, size_t i, size_t words, uint32_t kind,
                                 int64_t time, size_t limit, ae_columns *out)
{
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
        if (!_mm256_testz_si256(word, not_event)) {
            __m256i event = _mm256_cmpeq_epi32(_mm256_and_si256(word, not_event),
                                               _mm256_setzero_si256());
            unsigned good = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(event));
            unsigned taken = (unsigned)__builtin_ctz(~good);
            out->n = n + taken;
            return i + taken;
        }
        n += 8;
        i += 8;
    }
    out->n = n;
    return events_base(data, i, words, kind, time, limit, out);
}

/* The same, sixteen words at a time. */
AE_V4 AE_INLINE size_t events_v4(const uint8_t *data, size_t i, size_t words, uint32_t kind,
                                 int64_t time, size_t limit, ae_columns *out)
{
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
        unsigned other = _mm512_test_epi32_mask(word, not_event);
        if (other) {
            unsigned taken = (unsigned)__builtin_ctz(other);
            out->n = n + taken;
            return i + taken;
        }
        n += 16;
        i += 16;
    }
    out->n = n;
    return events_base(data, i, words, kind, time, limit, out);
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
