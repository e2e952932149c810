/* Usual rows of text with AVX-512, four at a time. Part of text_quick.c.
 *
 * First the ends of all numbers of a block of text are listed: no row has to wait for the one before
 * it. Then four rows, which are in a window of 128 bytes, are read at once, one in each lane of 16
 * bytes: t in one vector, p, x and y in another, its digits brought there by one permutation of the
 * window. */

enum {
    BLOCK = 1024,            /* bytes whose ends are listed at once */
    WINDOW = 128,            /* bytes that hold four rows; what two registers hold */
    POLARITY = 10000000,     /* p stands in front of the seven digits of x */
};

/* What is the same for all rows; a lane is a row, and a piece a number with the byte behind it. */
typedef struct {
    size_t ends;             /* in four rows */
    uint32_t used;           /* a bit each */
    __m512i behind;          /* in the low byte of each word: the byte behind a piece */
    __m512i least, more;     /* from end to end of pieces at least, and how much more it may be */
    __m512i t, decimals;     /* where the word of the piece of each byte is */
    __m512i pxy;
} shape_v4;

/* Where the words of a piece of each row are, in lanes of their rows. */
AE_V4 AE_INLINE __m512i piece_v4(int pieces, int piece)
{
    const __m512i rows = _mm512_set_epi32(
        0x03030303, 0x03030303, 0x03030303, 0x03030303, 0x02020202, 0x02020202, 0x02020202,
        0x02020202, 0x01010101, 0x01010101, 0x01010101, 0x01010101, 0, 0, 0, 0);
    return _mm512_add_epi8(_mm512_mullo_epi16(rows, _mm512_set1_epi16((short)(2 * pieces))),
                           _mm512_set1_epi8((char)(2 * piece)));
}

AE_V4 AE_INLINE shape_v4 shape_of(const ae_quick *layout, int seconds)
{
    const int pieces = layout->pieces + layout->returns;
    uint16_t behind[32] = {0}, least[32] = {0}, more[32] = {0};
    for (int row = 0; row < 4 * pieces; row += pieces) {
        for (int piece = 0; piece < pieces; piece++) {
            behind[row + piece] = piece < layout->pieces ? layout->behind[piece] : '\n';
            least[row + piece] = 2;
            more[row + piece] = 7;
        }
        behind[row + layout->pieces - 1] = layout->returns ? '\r' : '\n';
        if (layout->returns) {
            least[row + pieces - 1] = 1;
            more[row + pieces - 1] = 0;
        }
        more[row + layout->p] = 0;
        more[row + layout->x] = 6;
        more[row + layout->t] = seconds ? 7 : 15;
        if (seconds)
            more[row + layout->t + 1] = WINDOW;
    }
    const __m512i x = piece_v4(pieces, layout->x);
    __m512i pxy = _mm512_mask_mov_epi8(x, 0xFF00FF00FF00FF00u, piece_v4(pieces, layout->y));
    pxy = _mm512_mask_mov_epi8(pxy, 0x0001000100010001u, piece_v4(pieces, layout->p));
    return (shape_v4){
        .ends = 4 * (size_t)pieces,
        .used = ((uint32_t)1 << 4 * pieces) - 1,
        .behind = _mm512_loadu_si512(behind),
        .least = _mm512_loadu_si512(least),
        .more = _mm512_loadu_si512(more),
        .t = piece_v4(pieces, layout->t),
        .decimals = piece_v4(pieces, layout->t + seconds),
        .pxy = pxy,
    };
}

/* List where the bytes of a block are that are no digits, counted from the byte before it on. */
AE_V4 AE_INLINE size_t list_ends(const uint8_t *block, uint16_t *ends)
{
    const __m512i places = _mm512_set_epi8(
        63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41,
        40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18,
        17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i zero = _mm512_set1_epi8('0'), nine = _mm512_set1_epi8(9);
    size_t n = 0;
    for (int at = 0; at < BLOCK; at += 64) {
        __m512i digits = _mm512_sub_epi8(_mm512_loadu_si512(block + at), zero);
        uint64_t others = _mm512_cmpgt_epu8_mask(digits, nine);
        __m512i found = _mm512_maskz_compress_epi8(others, places);
        found = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(found));
        _mm512_storeu_si512(ends + n, _mm512_add_epi16(found, _mm512_set1_epi16((short)(at + 1))));
        unsigned count = (unsigned)__builtin_popcountll(others);
        n += count;
        if (count > 32)
            return n - count;       /* more than could be listed, and not usual */
    }
    return n;
}

/* The digits at these places of the window as values, zeros where the mask has none. */
AE_V4 AE_INLINE __m512i digits_v4(uint64_t mask, __m512i low, __m512i places, __m512i high)
{
    __m512i bytes = _mm512_permutex2var_epi8(low, places, high);
    return _mm512_maskz_sub_epi8(mask, bytes, _mm512_set1_epi8('0'));
}

/* Put the events of the four rows behind `before` into places n and on; returns 0 if one of them is
 * not a usual row. `ends` begins with that of the row before. */
AE_V4 AE_INLINE int four_rows(const uint8_t *before, const uint16_t *ends, const shape_v4 *shape,
                              int seconds, const ae_columns *out, size_t n)
{
    const __m512i tens = _mm512_set1_epi16(1 << 8 | 10);
    const __m512i hundreds = _mm512_set1_epi32(1 << 16 | 100);
    const __m512i myriads = _mm512_set1_epi32(1 << 16 | 10000);
    const __m512i low = _mm512_loadu_si512(before), high = _mm512_loadu_si512(before + 64);
    const __m512i first = _mm512_set1_epi16((short)*ends);
    const __m512i start = _mm512_sub_epi16(_mm512_loadu_si512(ends), first);
    const __m512i end = _mm512_sub_epi16(_mm512_loadu_si512(ends + 1), first);

    const __m512i more = _mm512_sub_epi16(_mm512_sub_epi16(end, start), shape->least);
    __m512i behind = _mm512_maskz_permutex2var_epi8(0x5555555555555555u, low, end, high);
    uint32_t usual = _mm512_cmpge_epu16_mask(shape->more, more) &
                     _mm512_cmpeq_epi16_mask(behind, shape->behind);

    /* Where the digits are, from the end of their piece on: the last 16 of t, or the last 8 of its
     * seconds and the first 8 behind the point; the last of p, 7 of x and 8 of y. */
    const int last4 = (int)0xFFFEFDFC, last8 = (int)0xFBFAF9F8, last12 = (int)0xF7F6F5F4;
    const int last16 = (int)0xF3F2F1F0, p_and_last7 = (int)0xFBFAF9FF;
    const __m512i t_steps = seconds ? _mm512_set4_epi32(0x08070605, 0x04030201, last4, last8)
                                    : _mm512_set4_epi32(last4, last8, last12, last16);
    const __m512i pxy_steps = _mm512_set4_epi32(last4, last8, last4, p_and_last7);
    __m512i places = _mm512_add_epi8(_mm512_permutexvar_epi8(shape->t, end), t_steps);
    uint64_t inside = _mm512_cmpgt_epi8_mask(places, _mm512_permutexvar_epi8(shape->t, start));
    if (seconds)
        inside &= _mm512_cmpgt_epi8_mask(_mm512_permutexvar_epi8(shape->decimals, end), places);
    __m512i t = digits_v4(inside, low, places, high);
    places = _mm512_add_epi8(_mm512_permutexvar_epi8(shape->pxy, end), pxy_steps);
    inside = _mm512_cmpgt_epi8_mask(places, _mm512_permutexvar_epi8(shape->pxy, start));
    __m512i pxy = digits_v4(inside, low, places, high);

    t = _mm512_madd_epi16(_mm512_maddubs_epi16(t, tens), hundreds);
    pxy = _mm512_madd_epi16(_mm512_maddubs_epi16(pxy, tens), hundreds);
    __m512i eights = _mm512_madd_epi16(_mm512_packus_epi32(t, pxy), myriads);
    eights = _mm512_permutexvar_epi32(
        _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 12, 9, 8, 5, 4, 1, 0), eights);

    __m128i x = _mm512_extracti32x4_epi32(eights, 2), y = _mm512_extracti32x4_epi32(eights, 3);
    const __m128i on = _mm_cmpgt_epi32(x, _mm_set1_epi32(POLARITY - 1));
    x = _mm_sub_epi32(x, _mm_and_si128(on, _mm_set1_epi32(POLARITY)));
    __m128i large = _mm_cmpgt_epi32(_mm_or_si128(x, y), _mm_set1_epi32(UINT16_MAX));
    if ((~usual & shape->used) | (uint32_t)_mm_movemask_epi8(large))
        return 0;

    __m256i halves = _mm512_castsi512_si256(eights), rest = _mm256_srli_epi64(halves, 32);
    if (seconds) {                                          /* 10 ns, rounded to us: / 100 */
        rest = _mm256_add_epi64(rest, _mm256_set1_epi64x(50));
        rest = _mm256_srli_epi64(_mm256_mul_epu32(rest, _mm256_set1_epi64x(1374389535)), 37);
    }
    halves = _mm256_mul_epu32(halves, _mm256_set1_epi64x(seconds ? 1000000 : 100000000));
    _mm256_storeu_si256((void *)(out->t + n), _mm256_add_epi64(halves, rest));
    __m128i xy = _mm_packus_epi32(x, y);
    _mm_storel_epi64((void *)(out->x + n), xy);
    _mm_storel_epi64((void *)(out->y + n), _mm_unpackhi_epi64(xy, xy));
    __m128i words = _mm_packs_epi32(on, on);
    __m128i bytes = _mm_and_si128(_mm_packs_epi16(words, words), _mm_set1_epi8(1));
    int32_t p = _mm_cvtsi128_si32(bytes);
    memcpy(out->p + n, &p, 4);
    return 1;
}

/* Append the events of the usual rows of a block, as there is room; returns where the next starts. */
AE_V4 AE_INLINE const uint8_t *block_v4(const uint8_t *block, const shape_v4 *shape, int seconds,
                                        ae_columns *out)
{
    uint16_t ends[BLOCK / 2 + 64];
    ends[0] = 0;
    const size_t listed = list_ends(block, ends + 1);
    const uint8_t *before = block - 1;
    const ae_columns room = *out;
    size_t k = 0, n = room.n;
    while (k + shape->ends <= listed && ends[k + shape->ends] - ends[k] < WINDOW &&
           n + AE_SLACK <= room.capacity &&
           four_rows(before + ends[k], ends + k, shape, seconds, &room, n)) {
        k += shape->ends;
        n += 4;
    }
    out->n = n;
    return before + ends[k] + 1;
}

/* Append the events of blocks of usual rows; moves `layout->again` behind what has been looked at. */
AE_V4 AE_INLINE const uint8_t *blocks_v4(const uint8_t *at, const uint8_t *end, ae_quick *layout,
                                         int seconds, ae_columns *out)
{
    const shape_v4 shape = shape_of(layout, seconds);
    while (end - at >= BLOCK + WINDOW && out->n + AE_SLACK <= out->capacity) {
        layout->again = at + BLOCK;
        at = block_v4(at, &shape, seconds, out);
        if (layout->again - at >= WINDOW)
            return at;
    }
    layout->again = end;
    return at;
}
