/* DAT: 8-byte records, both halves 32-bit little-endian: t in us, then
 *
 *   events, version 2    31-28 p, 27-14 y, 13-0 x
 *   events, version 1    17 p, 16-9 y, 8-0 x
 *   triggers             31-26 id, 3-0 value */
#include "cpu.h"
#include "dispatch.h"
#include "kernels.h"

#define CLOCK_RANGE ((int64_t)1 << 32)      /* us: 71.6 min */
#define HALF_RANGE ((int64_t)1 << 31)

enum { BLOCK = 32 };

/* Where a version keeps its fields. */
typedef struct {
    int y_shift, p_shift;
    uint32_t x_mask, y_mask;
} layout;

AE_INLINE layout layout_of(int64_t version)
{
    return version == 1 ? (layout){9, 17, 0x1FF, 0xFF} : (layout){14, 28, 0x3FFF, 0x3FFF};
}

/* The time with roll-overs of the next record: a fall of more than half the range is one. */
AE_INLINE int64_t unwrap(int64_t time, ae_dat *state)
{
    if (state->last - time > HALF_RANGE)
        state->loop += CLOCK_RANGE;
    state->last = time;
    return state->loop + time;
}

AE_INLINE void event(const uint8_t *record, layout at, ae_dat *state, ae_columns *out)
{
    uint32_t word = ae_load32(record + 4);
    out->t[out->n] = unwrap(ae_load32(record), state);
    out->x[out->n] = (uint16_t)(word & at.x_mask);
    out->y[out->n] = (uint16_t)(word >> at.y_shift & at.y_mask);
    out->p[out->n] = word >> at.p_shift & 1;
    out->n++;
}

/* Blocks in which time cannot roll over, because its top bit stays, are plain loops that the
 * compiler turns into vector code: first the halves of the records apart, then a loop a column. */
AE_INLINE size_t events_blocks(const uint8_t *data, size_t records, layout at, ae_dat *state,
                               ae_columns *out, size_t limit)
{
    size_t i = 0, n = out->n;
    int64_t loop = state->loop;
    uint32_t last = (uint32_t)state->last;
    int64_t *restrict t = out->t;
    uint16_t *restrict x = out->x, *restrict y = out->y;
    uint8_t *restrict p = out->p;
    for (; i + BLOCK <= records && n + BLOCK <= limit; i += BLOCK, n += BLOCK) {
        const uint8_t *block = data + 8 * i;
        uint32_t times[BLOCK], words[BLOCK], changed = 0;
        for (size_t j = 0; j < BLOCK; j++) {
            times[j] = ae_load32(block + 8 * j);
            words[j] = ae_load32(block + 8 * j + 4);
            changed |= times[j] ^ last;
        }
        if (changed >> 31)
            break;
        for (size_t j = 0; j < BLOCK; j++)
            t[n + j] = loop + times[j];
        for (size_t j = 0; j < BLOCK; j++)
            x[n + j] = (uint16_t)(words[j] & at.x_mask);
        for (size_t j = 0; j < BLOCK; j++)
            y[n + j] = (uint16_t)(words[j] >> at.y_shift & at.y_mask);
        for (size_t j = 0; j < BLOCK; j++)
            p[n + j] = words[j] >> at.p_shift & 1;
        last = times[BLOCK - 1];
    }
    state->last = last;
    out->n = n;
    return i;
}

AE_INLINE size_t events_with(const uint8_t *data, size_t records, layout at, ae_dat *state,
                             ae_columns *out)
{
    size_t i = 0, limit = out->capacity - AE_SLACK;
    while (i < records && out->n <= limit) {
        i += events_blocks(data + 8 * i, records - i, at, state, out, limit);
        for (size_t j = 0; j < BLOCK && i < records && out->n <= limit; j++, i++)
            event(data + 8 * i, at, state, out);
    }
    return i;
}

static size_t events_base(const uint8_t *data, size_t records, layout at, ae_dat *state,
                          ae_columns *out)
{
    return events_with(data, records, at, state, out);
}

#if AE_X86

/* Eight records at a time, in which time cannot roll over because its top bit stays. The halves of
 * the records are brought apart in registers. */
AE_V3 AE_INLINE size_t events_eights(const uint8_t *data, size_t records, layout at, ae_dat *state,
                                     ae_columns *out, size_t limit)
{
    const __m256i x_mask = _mm256_set1_epi32((int)at.x_mask);
    const __m256i y_mask = _mm256_set1_epi32((int)at.y_mask), one = _mm256_set1_epi32(1);
    const __m256i loop = _mm256_set1_epi64x(state->loop);
    const __m256i last = _mm256_set1_epi32((int)(uint32_t)state->last);
    const __m128i y_shift = _mm_cvtsi32_si128(at.y_shift), p_shift = _mm_cvtsi32_si128(at.p_shift);
    size_t i = 0, n = out->n;
    for (; i + 8 <= records && n + 8 <= limit; i += 8, n += 8) {
        __m256 a = _mm256_loadu_ps((const void *)(data + 8 * i));
        __m256 b = _mm256_loadu_ps((const void *)(data + 8 * i + 32));
        __m256i time = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
        __m256i word = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xDD));
        if (_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_xor_si256(time, last))))
            break;
        time = _mm256_permute4x64_epi64(time, 0xD8);
        word = _mm256_permute4x64_epi64(word, 0xD8);
        __m256i t0 = _mm256_cvtepu32_epi64(_mm256_castsi256_si128(time));
        __m256i t1 = _mm256_cvtepu32_epi64(_mm256_extracti128_si256(time, 1));
        _mm256_storeu_si256((void *)(out->t + n), _mm256_add_epi64(loop, t0));
        _mm256_storeu_si256((void *)(out->t + n + 4), _mm256_add_epi64(loop, t1));
        __m256i x = _mm256_and_si256(word, x_mask);
        __m256i y = _mm256_and_si256(_mm256_srl_epi32(word, y_shift), y_mask);
        __m256i both = _mm256_permute4x64_epi64(_mm256_packus_epi32(x, y), 0xD8);
        _mm_storeu_si128((void *)(out->x + n), _mm256_castsi256_si128(both));
        _mm_storeu_si128((void *)(out->y + n), _mm256_extracti128_si256(both, 1));
        __m256i on = _mm256_and_si256(_mm256_srl_epi32(word, p_shift), one);
        __m128i on16 = _mm_packus_epi32(_mm256_castsi256_si128(on), _mm256_extracti128_si256(on, 1));
        _mm_storel_epi64((void *)(out->p + n), _mm_packus_epi16(on16, on16));
    }
    if (i)
        state->last = ae_load32(data + 8 * i - 8);
    out->n = n;
    return i;
}

AE_V3 static size_t events_v3(const uint8_t *data, size_t records, layout at, ae_dat *state,
                              ae_columns *out)
{
    size_t i = 0, limit = out->capacity - AE_SLACK;
    while (i < records && out->n <= limit) {
        i += events_eights(data + 8 * i, records - i, at, state, out, limit);
        for (size_t j = 0; j < 8 && i < records && out->n <= limit; j++, i++)
            event(data + 8 * i, at, state, out);
    }
    return i;
}

AE_V4 static size_t events_v4(const uint8_t *data, size_t records, layout at, ae_dat *state,
                              ae_columns *out)
{
    return events_with(data, records, at, state, out);
}
#endif

static size_t (*events)(const uint8_t *, size_t, layout, ae_dat *, ae_columns *) = events_base;

static size_t triggers(const uint8_t *data, size_t records, ae_dat *state, ae_columns *out)
{
    size_t i = 0;
    for (; i < records && out->triggers < out->trigger_capacity; i++, out->triggers++) {
        uint32_t word = ae_load32(data + 8 * i + 4);
        out->trigger_t[out->triggers] = unwrap(ae_load32(data + 8 * i), state);
        out->trigger_id[out->triggers] = (uint8_t)(word >> 26);
        out->trigger_value[out->triggers] = word & 1;
    }
    return i;
}

size_t ae_dat_decode(const uint8_t *data, size_t records, ae_dat *state, ae_columns *out)
{
    if (state->triggers)
        return triggers(data, records, state, out);
    if (out->capacity < AE_SLACK)
        return 0;
    return events(data, records, layout_of(state->version), state, out);
}

/* ---- writing ---------------------------------------------------------------------------------- */

/* Whether a decoder that stands at `now` would read the low 32 bits of `t` as `t`. */
static int reads_back(int64_t t, int64_t now)
{
    int64_t loop = now >> 32, low = t & (CLOCK_RANGE - 1);
    loop += (now & (CLOCK_RANGE - 1)) - low > HALF_RANGE;
    return t >= 0 && t >> 32 == loop;
}

/* The records of events from `k` on, in blocks in which the clock's top bit stays and all fit: plain
 * loops, which the compiler turns into vector code. Returns how many, a multiple of BLOCK. */
AE_INLINE size_t written_with(const ae_columns *in, size_t k, layout at, int64_t now, uint8_t *out,
                              size_t room)
{
    const int64_t *t = in->t + k;
    const uint16_t *x = in->x + k, *y = in->y + k;
    const uint8_t *p = in->p + k;
    size_t n = in->n - k < room / 8 ? in->n - k : room / 8, i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        uint32_t words[BLOCK];
        int64_t moved = 0;
        uint32_t large = 0;
        for (size_t j = 0; j < BLOCK; j++) {
            moved |= t[i + j] ^ now;
            large |= (x[i + j] & ~at.x_mask) | (y[i + j] & ~at.y_mask);
        }
        if (moved >> 31 || large)
            break;
        for (size_t j = 0; j < BLOCK; j++)
            words[j] = (uint32_t)(p[i + j] != 0) << at.p_shift | (uint32_t)y[i + j] << at.y_shift |
                       x[i + j];
        for (size_t j = 0; j < BLOCK; j++) {
            ae_store32(out + 8 * (i + j), (uint32_t)t[i + j]);
            ae_store32(out + 8 * (i + j) + 4, words[j]);
        }
    }
    return i;
}

static size_t written_base(const ae_columns *in, size_t k, layout at, int64_t now, uint8_t *out,
                           size_t room)
{
    return written_with(in, k, at, now, out, room);
}

#if AE_X86

AE_V3 static size_t written_v3(const ae_columns *in, size_t k, layout at, int64_t now,
                               uint8_t *out, size_t room)
{
    return written_with(in, k, at, now, out, room);
}
#endif

static size_t (*written)(const ae_columns *, size_t, layout, int64_t, uint8_t *,
                         size_t) = written_base;

size_t ae_dat_encode(const ae_columns *in, ae_encoder *state, uint8_t *out, size_t capacity)
{
    layout at = layout_of(state->version);
    uint8_t *cursor = out;
    const uint8_t *end = out + capacity;
    size_t k = (size_t)state->next, quick = k;     /* the event from which on to try blocks */
    state->refused = 0;
    while (k < in->n && end - cursor >= 8) {
        if (k >= quick && state->started) {
            size_t n = written(in, k, at, state->time, cursor, (size_t)(end - cursor));
            k += n, cursor += 8 * n, quick = k + BLOCK;
            state->time = n ? in->t[k - 1] : state->time;
            state->next = (int64_t)k;
            continue;
        }
        state->refused = in->x[k] > at.x_mask || in->y[k] > at.y_mask ||
                         !reads_back(in->t[k], state->started ? state->time : 0);
        if (state->refused)
            break;
        cursor = ae_store32(cursor, (uint32_t)in->t[k]);
        cursor = ae_store32(cursor, (uint32_t)(in->p[k] != 0) << at.p_shift |
                                        (uint32_t)in->y[k] << at.y_shift | in->x[k]);
        state->started = 1;
        state->time = in->t[k];
        state->next = (int64_t)++k;
    }
    return (size_t)(cursor - out);
}

/* ---- dispatch --------------------------------------------------------------------------------- */

void ae_dat_select(int level)
{
    events = events_base;
    written = written_base;
#if AE_X86
    if (level >= 3) {
        events = level >= 4 ? events_v4 : events_v3;
        written = written_v3;
    }
#else
    (void)level;
#endif
}
