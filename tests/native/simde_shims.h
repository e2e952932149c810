/* AVX-512 through SIMDe, for test_simde.py: what the kernels use and SIMDe 0.7.4 lacks is written
 * out here, lane by lane. Newer versions of SIMDe have some of it: theirs is hidden by these. */
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <string.h>

#define LANES(vector, type) type lanes[sizeof(vector) / sizeof(type)]; memcpy(lanes, &vector, sizeof vector)

#undef _mm512_maskz_compress_epi16
static inline __m512i _mm512_maskz_compress_epi16(uint32_t mask, __m512i a)
{
    LANES(a, uint16_t);
    uint16_t out[32] = {0};
    for (int lane = 0, n = 0; lane < 32; lane++)
        if (mask >> lane & 1)
            out[n++] = lanes[lane];
    memcpy(&a, out, 64);
    return a;
}

#undef _mm512_cvtepu16_epi64
static inline __m512i _mm512_cvtepu16_epi64(__m128i a)
{
    LANES(a, uint16_t);
    uint64_t out[8];
    for (int lane = 0; lane < 8; lane++)
        out[lane] = lanes[lane];
    __m512i wide;
    memcpy(&wide, out, 64);
    return wide;
}

#undef _mm512_cvtepu32_epi64
static inline __m512i _mm512_cvtepu32_epi64(__m256i a)
{
    LANES(a, uint32_t);
    uint64_t out[8];
    for (int lane = 0; lane < 8; lane++)
        out[lane] = lanes[lane];
    __m512i wide;
    memcpy(&wide, out, 64);
    return wide;
}

#undef _mm512_cvtepi32_epi16
static inline __m256i _mm512_cvtepi32_epi16(__m512i a)
{
    LANES(a, uint32_t);
    uint16_t out[16];
    for (int lane = 0; lane < 16; lane++)
        out[lane] = (uint16_t)lanes[lane];
    __m256i narrow;
    memcpy(&narrow, out, 32);
    return narrow;
}

#undef _mm512_cvtepi32_epi8
static inline __m128i _mm512_cvtepi32_epi8(__m512i a)
{
    LANES(a, uint32_t);
    uint8_t out[16];
    for (int lane = 0; lane < 16; lane++)
        out[lane] = (uint8_t)lanes[lane];
    __m128i narrow;
    memcpy(&narrow, out, 16);
    return narrow;
}

#undef _mm512_testn_epi16_mask
static inline uint32_t _mm512_testn_epi16_mask(__m512i a, __m512i b)
{
    a = _mm512_and_si512(a, b);
    LANES(a, uint16_t);
    uint32_t mask = 0;
    for (int lane = 0; lane < 32; lane++)
        mask |= (uint32_t)(lanes[lane] == 0) << lane;
    return mask;
}

#undef _mm512_cmpeq_epi16_mask
static inline uint32_t _mm512_cmpeq_epi16_mask(__m512i a, __m512i b)
{
    LANES(a, uint16_t);
    uint16_t other[32];
    memcpy(other, &b, 64);
    uint32_t mask = 0;
    for (int lane = 0; lane < 32; lane++)
        mask |= (uint32_t)(lanes[lane] == other[lane]) << lane;
    return mask;
}

/* SIMDe 0.7.4 gives a wrong answer here. */
#undef _mm256_testz_si256
static inline int _mm256_testz_si256(__m256i a, __m256i b)
{
    a = _mm256_and_si256(a, b);
    LANES(a, uint64_t);
    return (lanes[0] | lanes[1] | lanes[2] | lanes[3]) == 0;
}

typedef simde__mmask16 __mmask16;

#undef _mm512_cvtepu16_epi32
static inline __m512i _mm512_cvtepu16_epi32(__m256i a)
{
    LANES(a, uint16_t);
    uint32_t out[16];
    for (int lane = 0; lane < 16; lane++)
        out[lane] = lanes[lane];
    __m512i wide;
    memcpy(&wide, out, 64);
    return wide;
}

#undef _mm512_cvtepu8_epi32
static inline __m512i _mm512_cvtepu8_epi32(__m128i a)
{
    LANES(a, uint8_t);
    uint32_t out[16];
    for (int lane = 0; lane < 16; lane++)
        out[lane] = lanes[lane];
    __m512i wide;
    memcpy(&wide, out, 64);
    return wide;
}

#undef _mm512_maskz_compress_epi8
static inline __m512i _mm512_maskz_compress_epi8(uint64_t mask, __m512i a)
{
    LANES(a, uint8_t);
    uint8_t out[64] = {0};
    for (int lane = 0, n = 0; lane < 64; lane++)
        if (mask >> lane & 1)
            out[n++] = lanes[lane];
    memcpy(&a, out, 64);
    return a;
}

#undef _mm512_cvtepu8_epi16
static inline __m512i _mm512_cvtepu8_epi16(__m256i a)
{
    LANES(a, uint8_t);
    uint16_t out[32];
    for (int lane = 0; lane < 32; lane++)
        out[lane] = lanes[lane];
    __m512i wide;
    memcpy(&wide, out, 64);
    return wide;
}

#undef _mm512_madd_epi16
static inline __m512i _mm512_madd_epi16(__m512i a, __m512i b)
{
    LANES(a, int16_t);
    int16_t other[32];
    int32_t out[16];
    memcpy(other, &b, 64);
    for (int lane = 0; lane < 16; lane++)
        out[lane] = lanes[2 * lane] * other[2 * lane] + lanes[2 * lane + 1] * other[2 * lane + 1];
    memcpy(&a, out, 64);
    return a;
}

#undef _mm512_alignr_epi64
#define _mm512_alignr_epi64(a, b, count) simde_alignr_epi64(a, b, count)
static inline __m512i simde_alignr_epi64(__m512i a, __m512i b, int count)
{
    uint64_t both[16];
    memcpy(both, &b, 64);
    memcpy(both + 8, &a, 64);
    memcpy(&a, both + count, 64);
    return a;
}

#undef _mm512_cmplt_epi64_mask
static inline uint8_t _mm512_cmplt_epi64_mask(__m512i a, __m512i b)
{
    LANES(a, int64_t);
    int64_t other[8];
    uint8_t mask = 0;
    memcpy(other, &b, 64);
    for (int lane = 0; lane < 8; lane++)
        mask |= (uint8_t)((lanes[lane] < other[lane]) << lane);
    return mask;
}

#undef _mm512_mask_cmpgt_epu32_mask
static inline uint16_t _mm512_mask_cmpgt_epu32_mask(uint16_t some, __m512i a, __m512i b)
{
    LANES(a, uint32_t);
    uint32_t other[16];
    uint16_t mask = 0;
    memcpy(other, &b, 64);
    for (int lane = 0; lane < 16; lane++)
        mask |= (uint16_t)((lanes[lane] > other[lane]) << lane);
    return mask & some;
}
