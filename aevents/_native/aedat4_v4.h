/* Records of AEDAT4 with AVX-512, sixteen at a time. Part of aedat.c. */
#ifndef AEVENTS_AEDAT4_V4_H
#define AEVENTS_AEDAT4_V4_H
#include "cpu.h"
#include "kernels.h"

#if AE_X86

enum { LANES_V4 = 16 };

/* As structs_blocks in aedat.c. */
AE_V4 AE_INLINE size_t structs_blocks_v4(const uint8_t *data, size_t records, ae_aedat *state,
                                         ae_columns *out)
{
    const __m512i even = _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0);
    const __m512i odd = _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1);
    const __m512i xy = _mm512_set_epi16(61, 57, 53, 49, 45, 41, 37, 33, 29, 25, 21, 17, 13, 9, 5, 1,
                                        60, 56, 52, 48, 44, 40, 36, 32, 28, 24, 20, 16, 12, 8, 4, 0);
    const __m512i on = _mm512_castsi128_si512(
        _mm_set_epi8(124, 116, 108, 100, 92, 84, 76, 68, 60, 52, 44, 36, 28, 20, 12, 4));
    const __m512i beyond = _mm512_set1_epi64(~(int64_t)(AE_LEAP - 1));
    size_t i = 0, n = out->n;
    int64_t last = state->last;
    for (; i + LANES_V4 <= records && n + LANES_V4 <= out->capacity; i += LANES_V4, n += LANES_V4) {
        const uint8_t *block = data + 16 * i;
        __m512i a = _mm512_loadu_si512(block), b = _mm512_loadu_si512(block + 64);
        __m512i c = _mm512_loadu_si512(block + 128), d = _mm512_loadu_si512(block + 192);
        __m512i t0 = _mm512_permutex2var_epi64(a, even, b);
        __m512i t1 = _mm512_permutex2var_epi64(c, even, d);
        __m512i near = _mm512_set1_epi64((int64_t)((uint64_t)last - AE_LEAP / 2));
        __m512i far = _mm512_or_si512(_mm512_sub_epi64(t0, near), _mm512_sub_epi64(t1, near));
        if (state->wary && _mm512_test_epi64_mask(far, beyond))
            break;
        __m512i rest0 = _mm512_permutex2var_epi64(a, odd, b);
        __m512i rest1 = _mm512_permutex2var_epi64(c, odd, d);
        __m512i places = _mm512_permutex2var_epi16(rest0, xy, rest1);
        __m128i flags = _mm512_castsi512_si128(_mm512_permutex2var_epi8(rest0, on, rest1));
        _mm512_storeu_si512(out->t + n, t0);
        _mm512_storeu_si512(out->t + n + 8, t1);
        _mm256_storeu_si256((void *)(out->x + n), _mm512_castsi512_si256(places));
        _mm256_storeu_si256((void *)(out->y + n), _mm512_extracti64x4_epi64(places, 1));
        _mm_storeu_si128((void *)(out->p + n), _mm_min_epu8(flags, _mm_set1_epi8(1)));
        last = out->t[n + LANES_V4 - 1];
    }
    state->last = last;
    out->n = n;
    return i;
}

#endif
#endif
