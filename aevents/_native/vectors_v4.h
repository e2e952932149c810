/* Vectors of EVT2.1 and EVT4 with AVX-512: which of sixteen events belong together. Part of evt21.c
 * and evt4.c. */
#ifndef AEVENTS_VECTORS_V4_H
#define AEVENTS_VECTORS_V4_H
#include "cpu.h"
#include "kernels.h"

#if AE_X86

enum { LANES = 16, AHEAD = 2048 };

/* Sixteen events, one a lane; of vectors that end among them, `count` are events. */
typedef struct {
    __m512i fields;         /* of the word of a vector, but for the type: x from a multiple of 32 */
    __m512i column;         /* the rest of x, where words have it */
    __m512i mask;           /* in the first lane of a vector: its bits */
    uint32_t first;         /* which lanes are */
    uint32_t joined;        /* whose vector the next lane belongs to, too */
    unsigned count;
} lanes_v4;

/* The bits of each lane and of as many next ones as it is joined to. */
AE_V4 AE_INLINE __m512i gathered_v4(__m512i bits, uint32_t joined)
{
    const __m512i lanes =
        _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    for (int step = 1; step < LANES; step *= 2) {
        __m512i next = _mm512_permutexvar_epi32(_mm512_add_epi32(lanes, _mm512_set1_epi32(step)),
                                                bits);
        bits = _mm512_mask_or_epi32(bits, (__mmask16)joined, bits, next);
        joined &= joined >> step;
    }
    return bits;
}

/* Ask for what will be looked at later: four columns at once are more than the CPU foresees. */
AE_V4 AE_INLINE void fetch_ahead(const ae_columns *in, size_t k)
{
    const uint8_t *t = (const uint8_t *)(in->t + k) + AHEAD;
    __builtin_prefetch(t);
    __builtin_prefetch(t + 64);
    __builtin_prefetch((const uint8_t *)(in->x + k) + AHEAD);
    __builtin_prefetch((const uint8_t *)(in->y + k) + AHEAD);
    __builtin_prefetch(in->p + k + AHEAD);
}

/* Look at the events from `k` on. Those count whose t is `high` but for 6 bits, and that fit. */
AE_V4 AE_INLINE lanes_v4 lanes_at(const ae_columns *in, size_t k, int64_t high)
{
    const __m512i even =
        _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const __m512i one = _mm512_set1_epi32(1);
    const __m512i next =
        _mm512_set_epi32(0, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
    const __m512i t0 = _mm512_loadu_si512(in->t + k), t1 = _mm512_loadu_si512(in->t + k + 8);
    fetch_ahead(in, k);
    const __m512i highs = _mm512_set1_epi64(high);
    uint32_t good = _mm512_cmpeq_epi64_mask(_mm512_srli_epi64(t0, 6), highs);
    good |= (uint32_t)_mm512_cmpeq_epi64_mask(_mm512_srli_epi64(t1, 6), highs) << 8;
    __m512i low = _mm512_and_si512(_mm512_permutex2var_epi32(t0, even, t1), _mm512_set1_epi32(63));
    __m512i x = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(in->x + k)));
    __m512i y = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(in->y + k)));
    __m512i p = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(in->p + k)));
    good &= _mm512_cmple_epu32_mask(_mm512_or_si512(x, y), _mm512_set1_epi32(0x7FF));
    good = ((uint32_t)1 << __builtin_ctz(~good)) - 1;        /* up to the first that is not */

    __m512i column = _mm512_and_si512(x, _mm512_set1_epi32(31));
    __m512i fields = _mm512_or_si512(_mm512_slli_epi32(_mm512_min_epu32(p, one), 28),
                                     _mm512_slli_epi32(low, 22));
    fields = _mm512_or_si512(fields, y);
    fields = _mm512_or_si512(fields, _mm512_slli_epi32(_mm512_sub_epi32(x, column), 11));
    uint32_t joined = _mm512_cmpeq_epi32_mask(fields, _mm512_permutexvar_epi32(next, fields));
    joined &= ~(uint32_t)_mm512_cmpge_epu32_mask(x, _mm512_permutexvar_epi32(next, x));

    uint32_t first = ~(joined << 1) & good;
    unsigned count = first ? 31 - (unsigned)__builtin_clz(first) : 0;
    return (lanes_v4){
        .fields = fields,
        .column = _mm512_slli_epi32(column, 11),
        .mask = gathered_v4(_mm512_sllv_epi32(one, column), joined),
        .first = first & (((uint32_t)1 << count) - 1),
        .joined = joined,
        .count = count,
    };
}

#endif
#endif
