/* Counting events into a frame.
 *
 * What limits this is not arithmetic but the memory system: nearly every event touches another
 * cache line. So events are taken in blocks. A SIMD pass turns a block into indices, with the check
 * of the bounds in it; then the counters of this block are incremented while those of the next
 * block are prefetched. On Zen 3 that reaches what the L3 cache gives: 0.8 G cache lines a second,
 * read, changed and written back. */
#include "cpu.h"
#include "dispatch.h"
#include "grid.h"
#include "kernels.h"

#include <string.h>

/* Two blocks of cache lines and the indices should fit the L1 cache of 32 KiB. */
#ifndef AE_BLOCK
#define AE_BLOCK 128
#endif

/* Fill `index` for n events, in any order within the block; return how many are off the sensor. */
typedef size_t index_pass(uint32_t *index, const uint16_t *x, const uint16_t *y, const uint8_t *p,
                          size_t n, const ae_grid *frame);

#if AE_X86

/* The passes for SSE2 and AVX2 stay in 16-bit lanes as long as they can, because twice as many
 * events fit: the check of the bounds (a saturating x - (width - 1) is 0 inside) and the low and
 * high halves of y * width. Unpacking low with high gives the 32-bit products. */

static size_t index_sse2(uint32_t *index, const uint16_t *x, const uint16_t *y, const uint8_t *p,
                         size_t n, const ae_grid *frame)
{
    const __m128i zero = _mm_setzero_si128();
    const __m128i width = _mm_set1_epi16((short)frame->width);
    const __m128i last_x = _mm_set1_epi16((short)(frame->width - 1));
    const __m128i last_y = _mm_set1_epi16((short)(frame->height - 1));
    const __m128i on = _mm_set1_epi32((int)frame->on);
    const __m128i extra = _mm_set1_epi32((int)frame->extra);
    __m128i inside_count = zero;
    size_t k = 0;
    for (; k + 8 <= n; k += 8) {
        __m128i xs = _mm_loadu_si128((const __m128i *)(const void *)(x + k));
        __m128i ys = _mm_loadu_si128((const __m128i *)(const void *)(y + k));
        __m128i ps = _mm_unpacklo_epi8(
            _mm_loadl_epi64((const __m128i *)(const void *)(p + k)), zero);
        __m128i beyond = _mm_or_si128(_mm_subs_epu16(xs, last_x), _mm_subs_epu16(ys, last_y));
        __m128i inside = _mm_cmpeq_epi16(beyond, zero);
        __m128i is_off = _mm_cmpeq_epi16(ps, zero);
        __m128i low = _mm_mullo_epi16(ys, width);
        __m128i high = _mm_mulhi_epu16(ys, width);
        __m128i a = _mm_add_epi32(_mm_unpacklo_epi16(low, high), _mm_unpacklo_epi16(xs, zero));
        __m128i b = _mm_add_epi32(_mm_unpackhi_epi16(low, high), _mm_unpackhi_epi16(xs, zero));
        __m128i in_a = _mm_unpacklo_epi16(inside, inside);
        __m128i in_b = _mm_unpackhi_epi16(inside, inside);
        a = _mm_add_epi32(a, _mm_andnot_si128(_mm_unpacklo_epi16(is_off, is_off), on));
        b = _mm_add_epi32(b, _mm_andnot_si128(_mm_unpackhi_epi16(is_off, is_off), on));
        a = _mm_or_si128(_mm_and_si128(in_a, a), _mm_andnot_si128(in_a, extra));
        b = _mm_or_si128(_mm_and_si128(in_b, b), _mm_andnot_si128(in_b, extra));
        _mm_storeu_si128((__m128i *)(void *)(index + k), a);
        _mm_storeu_si128((__m128i *)(void *)(index + k + 4), b);
        inside_count = _mm_sub_epi16(inside_count, inside);
    }
    uint16_t counted[8];
    _mm_storeu_si128((__m128i *)(void *)counted, inside_count);
    size_t off_sensor = k;
    for (int lane = 0; lane < 8; lane++)
        off_sensor -= counted[lane];
    return off_sensor + ae_index(index + k, x + k, y + k, p + k, n - k, frame);
}

AE_V3 static size_t index_avx2(uint32_t *index, const uint16_t *x, const uint16_t *y,
                               const uint8_t *p, size_t n, const ae_grid *frame)
{
    const __m256i zero = _mm256_setzero_si256();
    const __m256i width = _mm256_set1_epi16((short)frame->width);
    const __m256i last_x = _mm256_set1_epi16((short)(frame->width - 1));
    const __m256i last_y = _mm256_set1_epi16((short)(frame->height - 1));
    const __m256i on = _mm256_set1_epi32((int)frame->on);
    const __m256i extra = _mm256_set1_epi32((int)frame->extra);
    __m256i inside_count = zero;
    size_t k = 0;
    for (; k + 16 <= n; k += 16) {
        __m256i xs = _mm256_loadu_si256((const __m256i *)(const void *)(x + k));
        __m256i ys = _mm256_loadu_si256((const __m256i *)(const void *)(y + k));
        __m256i ps = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(p + k)));
        __m256i beyond =
            _mm256_or_si256(_mm256_subs_epu16(xs, last_x), _mm256_subs_epu16(ys, last_y));
        __m256i inside = _mm256_cmpeq_epi16(beyond, zero);
        __m256i is_off = _mm256_cmpeq_epi16(ps, zero);
        __m256i low = _mm256_mullo_epi16(ys, width);
        __m256i high = _mm256_mulhi_epu16(ys, width);
        /* AVX2 unpacks within 128-bit halves: events change places, which counting does not mind */
        __m256i a =
            _mm256_add_epi32(_mm256_unpacklo_epi16(low, high), _mm256_unpacklo_epi16(xs, zero));
        __m256i b =
            _mm256_add_epi32(_mm256_unpackhi_epi16(low, high), _mm256_unpackhi_epi16(xs, zero));
        a = _mm256_add_epi32(a, _mm256_andnot_si256(_mm256_unpacklo_epi16(is_off, is_off), on));
        b = _mm256_add_epi32(b, _mm256_andnot_si256(_mm256_unpackhi_epi16(is_off, is_off), on));
        a = _mm256_blendv_epi8(extra, a, _mm256_unpacklo_epi16(inside, inside));
        b = _mm256_blendv_epi8(extra, b, _mm256_unpackhi_epi16(inside, inside));
        _mm256_storeu_si256((__m256i *)(void *)(index + k), a);
        _mm256_storeu_si256((__m256i *)(void *)(index + k + 8), b);
        inside_count = _mm256_sub_epi16(inside_count, inside);
    }
    uint16_t counted[16];
    _mm256_storeu_si256((__m256i *)(void *)counted, inside_count);
    size_t off_sensor = k;
    for (int lane = 0; lane < 16; lane++)
        off_sensor -= counted[lane];
    return off_sensor + ae_index(index + k, x + k, y + k, p + k, n - k, frame);
}

/* AVX-512 compares into masks, and a mask is all that the rest needs: 32-bit lanes throughout. */
AE_V4 static size_t index_avx512(uint32_t *index, const uint16_t *x, const uint16_t *y,
                                 const uint8_t *p, size_t n, const ae_grid *frame)
{
    const __m512i width = _mm512_set1_epi32((int)frame->width);
    const __m512i height = _mm512_set1_epi32((int)frame->height);
    const __m512i on = _mm512_set1_epi32((int)frame->on);
    const __m512i extra = _mm512_set1_epi32((int)frame->extra);
    size_t off_sensor = 0;
    size_t k = 0;
    for (; k + 16 <= n; k += 16) {
        __m512i xs =
            _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(x + k)));
        __m512i ys =
            _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(y + k)));
        __m512i ps = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)(p + k)));
        __mmask16 is_on = _mm512_test_epi32_mask(ps, ps);
        __mmask16 inside =
            _mm512_mask_cmpgt_epi32_mask(_mm512_cmpgt_epi32_mask(width, xs), height, ys);
        __m512i a = _mm512_add_epi32(_mm512_mullo_epi32(ys, width), xs);
        a = _mm512_mask_add_epi32(a, is_on, a, on);
        _mm512_storeu_si512(index + k, _mm512_mask_mov_epi32(extra, inside, a));
        off_sensor += 16 - (size_t)__builtin_popcount(inside);
    }
    return off_sensor + ae_index(index + k, x + k, y + k, p + k, n - k, frame);
}

static index_pass *index_block = index_sse2;

void ae_accumulate_select(int level)
{
    index_block = level >= 4 ? index_avx512 : level == 3 ? index_avx2 : index_sse2;
}

#else

static index_pass *index_block = ae_index;

void ae_accumulate_select(int level)
{
    (void)level;
}

#endif

/* The loop over blocks, once for each kind of counter. Two indices come with one load: without
 * that, loads are what the inner loop waits for. `COUNT(i)` increments counter i. */
#define ACCUMULATE(counts, COUNT)                                                                  \
    ae_grid frame;                                                                                    \
    if (!ae_grid_of(&frame, width, height, planes))                                                   \
        return n;                                                                                  \
    uint32_t index[2][AE_BLOCK];                                                                   \
    size_t blocks = n / AE_BLOCK, off_sensor = 0;                                                  \
    if (blocks)                                                                                    \
        off_sensor = index_block(index[0], x, y, p, AE_BLOCK, &frame);                             \
    for (size_t block = 0; block < blocks; block++) {                                              \
        const uint32_t *now = index[block & 1];                                                    \
        uint32_t *next = index[(block + 1) & 1];                                                   \
        x += AE_BLOCK, y += AE_BLOCK, p += AE_BLOCK;                                               \
        if (block + 1 < blocks)                                                                    \
            off_sensor += index_block(next, x, y, p, AE_BLOCK, &frame);                            \
        else                                                                                       \
            memcpy(next, now, sizeof index[0]);                                                    \
        for (int k = 0; k < AE_BLOCK; k += 2) {                                                    \
            uint64_t two, two_next;                                                                \
            memcpy(&two, now + k, sizeof two);                                                     \
            memcpy(&two_next, next + k, sizeof two_next);                                          \
            AE_PREFETCH(counts + (uint32_t)two_next);                                              \
            AE_PREFETCH(counts + (two_next >> 32));                                                \
            COUNT((uint32_t)two);                                                                  \
            COUNT((two >> 32));                                                                    \
        }                                                                                          \
    }                                                                                              \
    n %= AE_BLOCK;                                                                                 \
    off_sensor += index_block(index[0], x, y, p, n, &frame);                                       \
    for (size_t k = 0; k < n; k++)                                                                 \
        COUNT(index[0][k]);                                                                        \
    return off_sensor

/* A counter that comes back to 0 has lost 2^bits: those go to its spill, and the last slot says so. */
#define COUNT_AND_SPILL(i)                                                                         \
    if (__builtin_expect(++counts[i] == 0, 0)) {                                                           \
        spill[i] += 1u << (8 * sizeof *counts);                                                    \
        spill[frame.extra] = 1;                                                                    \
    }

size_t ae_accumulate_u8(uint8_t *counts, uint32_t *spill, const uint16_t *x, const uint16_t *y,
                        const uint8_t *p, size_t n, uint32_t width, uint32_t height,
                        uint32_t planes)
{
    ACCUMULATE(counts, COUNT_AND_SPILL);
}

size_t ae_accumulate_u16(uint16_t *counts, uint32_t *spill, const uint16_t *x, const uint16_t *y,
                         const uint8_t *p, size_t n, uint32_t width, uint32_t height,
                         uint32_t planes)
{
    ACCUMULATE(counts, COUNT_AND_SPILL);
}

#define COUNT(i) counts[i]++

size_t ae_accumulate_u32(uint32_t *counts, const uint16_t *x, const uint16_t *y, const uint8_t *p,
                         size_t n, uint32_t width, uint32_t height, uint32_t planes)
{
    ACCUMULATE(counts, COUNT);
}
