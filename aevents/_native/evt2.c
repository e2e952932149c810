/* EVT 2.0: 32-bit little-endian words, the type in bits 31-28. Layout: docs/formats, "EVT2".
 *
 *   0x0 OFF, 0x1 ON    27-22 low 6 bits of t, 21-11 x, 10-0 y
 *   0x8 TIME_HIGH      27-0 bits 33-6 of t
 *   0xA EXT_TRIGGER    27-22 low 6 bits of t, 12-8 id, 0 value
 *   0xD IMU, 0xE OTHERS, 0xF CONTINUED    skipped */
#include "clock.h"
#include "cpu.h"
#include "dispatch.h"
#include "kernels.h"

enum { TIME_HIGH = 8, EXT_TRIGGER = 10, IMU = 13 };

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

/* A word that gives no event in `out`. Returns 0 if it is a trigger that has no room. */
static int other_word(uint32_t word, ae_evt2 *state, ae_columns *out)
{
    uint32_t type = word >> 28;
    if (type == TIME_HIGH) {
        time_high(word & 0xFFFFFFF, state);
    } else if (type < 2 || type == EXT_TRIGGER) {
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
    } else if (type < IMU) {
        state->unknown++;
    }
    return 1;
}

/* Decodes event words from word `i` on, until one is something else or room ends; returns the word
 * it stopped at. */
typedef size_t events_function(const uint8_t *data, size_t i, size_t words, int64_t time,
                               size_t limit, ae_columns *out);

AE_INLINE size_t events_base(const uint8_t *data, size_t i, size_t words, int64_t time,
                             size_t limit, ae_columns *out)
{
    size_t n = out->n;
    for (; i < words && n <= limit; i++, n++) {
        uint32_t word = ae_load32(data + 4 * i);
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

AE_INLINE size_t decode_with(events_function *events, const uint8_t *data, size_t words,
                             ae_evt2 *state, ae_columns *out)
{
    if (out->capacity < AE_SLACK)
        return 0;
    size_t i = 0, limit = out->capacity - AE_SLACK;
    while (i < words && out->n <= limit) {
        if (state->started) {
            i = events(data, i, words, high_time(state), limit, out);
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

/* Eight words at a time: all are decoded, and as many count as come before the first word of
 * another type; the rest is overwritten by what follows. */
AE_V3 AE_INLINE size_t events_v3(const uint8_t *data, size_t i, size_t words, int64_t time,
                                 size_t limit, ae_columns *out)
{
    const __m256i eleven = _mm256_set1_epi32(0x7FF), six = _mm256_set1_epi32(63);
    const __m256i not_event = _mm256_set1_epi32((int)0xE0000000), high = _mm256_set1_epi64x(time);
    int64_t *t = out->t;
    uint16_t *x = out->x, *y = out->y;
    uint8_t *p = out->p;
    size_t n = out->n;
    while (i + 8 <= words && n + 8 <= limit) {
        __m256i word = _mm256_loadu_si256((const void *)(data + 4 * i));
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
    return events_base(data, i, words, time, limit, out);
}

AE_V3 static size_t decode_v3(const uint8_t *data, size_t words, ae_evt2 *state, ae_columns *out)
{
    return decode_with(events_v3, data, words, state, out);
}

/* The same, sixteen words at a time. */
AE_V4 AE_INLINE size_t events_v4(const uint8_t *data, size_t i, size_t words, int64_t time,
                                 size_t limit, ae_columns *out)
{
    const __m512i eleven = _mm512_set1_epi32(0x7FF), six = _mm512_set1_epi32(63);
    const __m512i not_event = _mm512_set1_epi32((int)0xE0000000), high = _mm512_set1_epi64(time);
    int64_t *t = out->t;
    uint16_t *x = out->x, *y = out->y;
    uint8_t *p = out->p;
    size_t n = out->n;
    while (i + 16 <= words && n + 16 <= limit) {
        __m512i word = _mm512_loadu_si512(data + 4 * i);
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
    return events_base(data, i, words, time, limit, out);
}

AE_V4 static size_t decode_v4(const uint8_t *data, size_t words, ae_evt2 *state, ae_columns *out)
{
    return decode_with(events_v4, data, words, state, out);
}

#endif

static size_t (*decode)(const uint8_t *, size_t, ae_evt2 *, ae_columns *) = decode_base;

void ae_evt2_select(int level)
{
    decode = decode_base;
#if AE_X86
    if (level >= 3)
        decode = level >= 4 ? decode_v4 : decode_v3;
#else
    (void)level;
#endif
}

size_t ae_evt2_decode(const uint8_t *data, size_t words, ae_evt2 *state, ae_columns *out)
{
    return decode(data, words, state, out);
}

/* ---- writing ---------------------------------------------------------------------------------- */

/* A fall of more than half the range reads as a roll-over, so time may go back by less only. */
#define ROLLS_OVER (HALF_HIGH + 1)

/* Writes TIME_HIGH words until the decoder's clock stands at event time `t`, as room allows.
 * Returns the end of what it wrote, or NULL if no words lead there. */
static uint8_t *write_clock(uint8_t *out, const uint8_t *end, int64_t t, ae_encoder *state)
{
    int64_t goal = t >> 6, now = state->started ? state->time >> 6 : 0;
    while ((now != goal || !state->started) && end - out >= 8) {
        now = ae_next_high(now, goal, 28, ROLLS_OVER);
        if (now < 0)
            return NULL;
        out = ae_store32(out, (uint32_t)TIME_HIGH << 28 | (uint32_t)(now & 0xFFFFFFF));
        state->started = 1;
        state->time = now << 6;
    }
    return out;
}

size_t ae_evt2_encode(const ae_columns *in, ae_encoder *state, uint8_t *out, size_t capacity)
{
    uint8_t *cursor = out;
    const uint8_t *end = out + capacity;
    state->refused = 0;
    for (size_t k = (size_t)state->next; k < in->n && end - cursor >= 8; k++) {
        int64_t t = in->t[k];
        uint8_t *timed = NULL;
        if (t >= 0 && in->x[k] <= 0x7FF && in->y[k] <= 0x7FF)
            timed = write_clock(cursor, end, t, state);
        state->refused = timed == NULL;
        if (state->refused)
            break;
        cursor = timed;
        if (state->time >> 6 != t >> 6 || end - cursor < 4)
            break;                          /* no room; the clock goes on from state->time */
        cursor = ae_store32(cursor, (uint32_t)(in->p[k] != 0) << 28 | (uint32_t)(t & 63) << 22 |
                                        (uint32_t)in->x[k] << 11 | in->y[k]);
        state->time = t;
        state->next = (int64_t)k + 1;
    }
    return (size_t)(cursor - out);
}
