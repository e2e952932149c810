/* Which events to keep: a byte for each, 1 to keep it; and taking those.
 *
 * A table of times holds t + TIME_BIAS for each pixel, so that one of zeros means: never yet.
 * Two times are near each other if neither is more than `most` after the other: time may go back.
 * Nearly every event touches another cache line, hence the looking ahead. */
#include "cpu.h"
#include "dispatch.h"
#include "kernels.h"

#define AHEAD 32                      /* 16 took twice as long */
#define TIME_BIAS ((uint64_t)1 << 62)
#define AE_FETCH(address) __builtin_prefetch((address), 1, 3)

AE_INLINE uint64_t stamp_of(int64_t t)
{
    return (uint64_t)t + TIME_BIAS;
}

/* With `most` of at most 2^60, as the callers see to, a time of "never" is near to nothing sane. */
AE_INLINE int near(uint64_t stamp, uint64_t other, uint64_t most)
{
    return stamp - other + most <= 2 * most;
}

/* The place of event i in a table with this many slots a row; -1 if it is off the sensor. */
AE_INLINE int64_t place_of(ae_columns in, size_t i, uint32_t width, uint32_t height,
                           size_t stride)
{
    return in.x[i] < width && in.y[i] < height ? (int64_t)(in.y[i] * stride + in.x[i]) : -1;
}

/* Whether a time is near to one of the 8 around `here`: `latest` is that time + most. */
typedef int near_any(const uint64_t *here, size_t stride, uint64_t latest, uint64_t twice_most);

AE_INLINE int near_any_portable(const uint64_t *here, size_t stride, uint64_t latest,
                                uint64_t twice_most)
{
    const uint64_t *above = here - stride, *below = here + stride;
    int found = 0;
    for (int i = -1; i <= 1; i++)
        found |= (latest - above[i] <= twice_most) | (latest - below[i] <= twice_most);
    return found | (latest - here[-1] <= twice_most) | (latest - here[1] <= twice_most);
}

AE_INLINE size_t background(const ae_columns *source, uint64_t *last, uint32_t width,
                            uint32_t height, uint64_t most, uint8_t *keep, near_any *found)
{
    const ae_columns in = *source;
    const size_t stride = (size_t)width + 2;
    size_t off_sensor = 0;
    for (size_t i = 0; i < in.n; i++) {
        int64_t place = i + AHEAD < in.n ? place_of(in, i + AHEAD, width, height, stride) : -1;
        if (place >= 0) {
            AE_FETCH(last + place);
            AE_FETCH(last + place + stride);
            AE_FETCH(last + place + 2 * stride);
        }
        place = place_of(in, i, width, height, stride);
        if (place < 0) {
            keep[i] = 0;
            off_sensor++;
            continue;
        }
        uint64_t *here = last + place + stride + 1;
        const uint64_t stamp = stamp_of(in.t[i]);
        keep[i] = (uint8_t)found(here, stride, stamp + most, 2 * most);
        *here = stamp;
    }
    return off_sensor;
}

static size_t background_base(const ae_columns *in, uint64_t *last, uint32_t width,
                              uint32_t height, uint64_t most, uint8_t *keep)
{
    return background(in, last, width, height, most, keep, near_any_portable);
}

static size_t (*background_block)(const ae_columns *, uint64_t *, uint32_t, uint32_t, uint64_t,
                                  uint8_t *) = background_base;

size_t ae_background(const ae_columns *in, uint64_t *last, uint32_t width, uint32_t height,
                     uint64_t most, uint8_t *keep)
{
    return background_block(in, last, width, height, most, keep);
}

#if AE_X86

/* All ones in the lanes of a row that are not near; comparisons are signed, hence the shift. */
AE_V3 AE_INLINE __m256i far_avx2(const uint64_t *row, __m256i latest, __m256i limit)
{
    const __m256i three = _mm256_setr_epi64x(-1, -1, -1, 0);
    __m256i times = _mm256_maskload_epi64((const void *)row, three);
    return _mm256_cmpgt_epi64(_mm256_sub_epi64(latest, times), limit);
}

AE_V3 AE_INLINE int near_any_avx2(const uint64_t *here, size_t stride, uint64_t latest,
                                  uint64_t twice_most)
{
    const uint64_t shift = (uint64_t)1 << 63;
    const __m256i late = _mm256_set1_epi64x((long long)(latest + shift));
    const __m256i limit = _mm256_set1_epi64x((long long)(twice_most + shift));
    const __m256i middle = _mm256_setr_epi64x(0, -1, 0, 0);
    __m256i far = _mm256_or_si256(far_avx2(here - 1, late, limit), middle);
    far = _mm256_and_si256(far, far_avx2(here - stride - 1, late, limit));
    far = _mm256_and_si256(far, far_avx2(here + stride - 1, late, limit));
    return (_mm256_movemask_pd(_mm256_castsi256_pd(far)) & 7) != 7;
}

AE_V3 static size_t background_avx2(const ae_columns *in, uint64_t *last, uint32_t width,
                                    uint32_t height, uint64_t most, uint8_t *keep)
{
    return background(in, last, width, height, most, keep, near_any_avx2);
}

#endif

size_t ae_refractory(const ae_columns *source, uint64_t *last, uint32_t width, uint32_t height,
                     uint64_t most, uint8_t *keep)
{
    const ae_columns in = *source;
    size_t off_sensor = 0;
    for (size_t i = 0; i < in.n; i++) {
        int64_t place = i + AHEAD < in.n ? place_of(in, i + AHEAD, width, height, width) : -1;
        if (place >= 0)
            AE_FETCH(last + place);
        place = place_of(in, i, width, height, width);
        if (place < 0) {
            keep[i] = 0;
            off_sensor++;
            continue;
        }
        const uint64_t stamp = stamp_of(in.t[i]);
        keep[i] = !near(stamp, last[place], most);
        last[place] = keep[i] ? stamp : last[place];
    }
    return off_sensor;
}

size_t ae_contrast(const ae_columns *source, ae_burst *bursts, uint32_t width, uint32_t height,
                   uint64_t most, int trail, uint8_t *keep)
{
    const ae_columns in = *source;
    size_t off_sensor = 0;
    for (size_t i = 0; i < in.n; i++) {
        int64_t place = i + AHEAD < in.n ? place_of(in, i + AHEAD, width, height, width) : -1;
        if (place >= 0)
            AE_FETCH(bursts + place);
        place = place_of(in, i, width, height, width);
        if (place < 0) {
            keep[i] = 0;
            off_sensor++;
            continue;
        }
        ae_burst *burst = bursts + place;
        const uint64_t stamp = stamp_of(in.t[i]);
        const uint64_t p = in.p[i] != 0;
        const int more = burst->p == p && near(stamp, burst->last, most);
        keep[i] = (uint8_t)(more && (trail || !burst->followed));
        *burst = (ae_burst){stamp, (uint32_t)p, (uint32_t)more};
    }
    return off_sensor;
}

void ae_lines(const int64_t *t, const uint16_t *line, size_t n, uint32_t *counts, uint32_t most,
              uint8_t *keep)
{
    for (size_t start = 0, end; start < n; start = end) {
        for (end = start; end < n && t[end] == t[start]; end++)
            counts[line[end]]++;
        for (size_t i = start; i < end; i++)
            keep[i] = counts[line[i]] <= most;
        for (size_t i = start; i < end; i++)
            counts[line[i]] = 0;
    }
}

/* One by one from event `i` on, where `n` are there already; returns how many are there then. */
AE_INLINE size_t pick_rest(ae_columns in, const uint8_t *keep, ae_columns out, size_t i, size_t n)
{
    for (; i < in.n && n < out.capacity; i++) {
        out.t[n] = in.t[i];
        out.x[n] = in.x[i];
        out.y[n] = in.y[i];
        out.p[n] = in.p[i] != 0;
        n += keep[i] != 0;
    }
    return n;
}

static size_t pick_base(const ae_columns *in, const uint8_t *keep, const ae_columns *out)
{
    return pick_rest(*in, keep, *out, 0, 0);
}

static size_t (*pick_block)(const ae_columns *, const uint8_t *, const ae_columns *) = pick_base;

void ae_pick(const ae_columns *in, const uint8_t *keep, ae_columns *out)
{
    out->n = pick_block(in, keep, out);
}

#if AE_X86

AE_V4 AE_INLINE void pick_16_avx512(uint16_t *out, const uint16_t *in, uint64_t mask)
{
    const uint32_t first = (uint32_t)mask;
    __m512i low = _mm512_loadu_si512(in), high = _mm512_loadu_si512(in + 32);
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi16(first, low));
    _mm512_storeu_si512(out + __builtin_popcount(first),
                        _mm512_maskz_compress_epi16((uint32_t)(mask >> 32), high));
}

/* 64 events at a time, as long as there is room for all of them: whole vectors are stored. */
AE_V4 static size_t pick_avx512(const ae_columns *source, const uint8_t *keep,
                                const ae_columns *target)
{
    const ae_columns in = *source, out = *target;
    const __m512i one = _mm512_set1_epi8(1);
    size_t i = 0, n = 0;
    for (; i + 64 <= in.n && n + 64 <= out.capacity; i += 64) {
        __m512i flags = _mm512_loadu_si512(keep + i);
        uint64_t mask = _mm512_test_epi8_mask(flags, flags);
        __m512i p = _mm512_min_epu8(_mm512_loadu_si512(in.p + i), one);
        _mm512_storeu_si512(out.p + n, _mm512_maskz_compress_epi8(mask, p));
        pick_16_avx512(out.x + n, in.x + i, mask);
        pick_16_avx512(out.y + n, in.y + i, mask);
        for (size_t k = 0; k < 64; k += 8, mask >>= 8) {
            __m512i t = _mm512_loadu_si512(in.t + i + k);
            _mm512_storeu_si512(out.t + n, _mm512_maskz_compress_epi64((uint8_t)mask, t));
            n += (size_t)__builtin_popcount((unsigned)(mask & 255));
        }
    }
    return pick_rest(in, keep, out, i, n);
}

void ae_filter_select(int level)
{
    background_block = level >= 3 ? background_avx2 : background_base;
    pick_block = level >= 4 ? pick_avx512 : pick_base;
}

#else

void ae_filter_select(int level)
{
    (void)level;
}

#endif
