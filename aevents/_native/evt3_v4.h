/* EVT 3.0 with AVX-512: compress and permute, 32 words at a time. Part of evt3.c. */

/* For lane i, how many lanes of `set` but its first are at or below i: the place in the compressed
 * values of the last one at or below, where there is one. `lower` holds bits 0 to (i mod 16). */
AE_V4 AE_INLINE __m512i ranks(uint32_t set, __m512i lower)
{
    set &= set - 1;
    __m512i halves = _mm512_mask_set1_epi16(_mm512_set1_epi16((short)set), 0xFFFF0000,
                                            (short)(set >> 16));
    __m512i below = _mm512_maskz_set1_epi16(0xFFFF0000,
                                            (short)__builtin_popcount(set & 0xFFFF));
    return _mm512_add_epi16(_mm512_popcnt_epi16(_mm512_and_si512(halves, lower)), below);
}

/* Gives each lane the last value that a lane of `set` had, or the running one. */
AE_V4 AE_INLINE __m512i filled_v4(__m512i value, uint32_t set, __m512i carried, __m512i lower)
{
    uint32_t from_first = 0u - (set & (0u - set));
    __m512i values = _mm512_maskz_compress_epi16(set, value);
    return _mm512_mask_permutexvar_epi16(carried, from_first, ranks(set, lower), values);
}

AE_V4 AE_INLINE void store_times_v4(int64_t *t, __m512i high, __m512i lows)
{
    __m512i t0 = _mm512_cvtepu16_epi64(_mm512_castsi512_si128(lows));
    __m512i t1 = _mm512_cvtepu16_epi64(_mm512_extracti32x4_epi32(lows, 1));
    __m512i t2 = _mm512_cvtepu16_epi64(_mm512_extracti32x4_epi32(lows, 2));
    __m512i t3 = _mm512_cvtepu16_epi64(_mm512_extracti32x4_epi32(lows, 3));
    _mm512_storeu_si512(t, _mm512_add_epi64(high, t0));
    _mm512_storeu_si512(t + 8, _mm512_add_epi64(high, t1));
    _mm512_storeu_si512(t + 16, _mm512_add_epi64(high, t2));
    _mm512_storeu_si512(t + 24, _mm512_add_epi64(high, t3));
}

/* A whole group at once: the lane numbers of the set bits are the offsets of the events. */
AE_V4 AE_INLINE size_t vector_v4(uint32_t mask, uint32_t x, int64_t t, uint32_t row, uint32_t on,
                                 const ae_columns *at, size_t n)
{
    const __m512i lanes = _mm512_set_epi16(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18,
                                           17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2,
                                           1, 0);
    const __m512i base = _mm512_set1_epi16((short)x), times = _mm512_set1_epi64(t);
    _mm512_storeu_si512(at->x + n,
                        _mm512_add_epi16(base, _mm512_maskz_compress_epi16(mask, lanes)));
    _mm512_storeu_si512(at->y + n, _mm512_set1_epi16((short)row));
    _mm256_storeu_si256((void *)(at->p + n), _mm256_set1_epi8((char)on));
    _mm512_storeu_si512(at->t + n, times);
    _mm512_storeu_si512(at->t + n + 8, times);
    _mm512_storeu_si512(at->t + n + 16, times);
    _mm512_storeu_si512(at->t + n + 24, times);
    return n + (unsigned)__builtin_popcount(mask);
}

/* Thirty-two words at a time. A word that is none of the usual ones ends the block early: vectors
 * are decoded at once, and the next block begins after them. */
AE_V4 AE_INLINE size_t plain_v4(const uint8_t *data, size_t i, size_t words, size_t limit,
                                ae_evt3 *state, ae_columns *out)
{
    const __m512i eleven = _mm512_set1_epi16(0x7FF), twelve = _mm512_set1_epi16(0xFFF);
    const __m512i last = _mm512_set1_epi16(31), one = _mm512_set1_epi16(1);
    const __m512i lower = _mm512_set_epi16(
        -1, 32767, 16383, 8191, 4095, 2047, 1023, 511, 255, 127, 63, 31, 15, 7, 3, 1,
        -1, 32767, 16383, 8191, 4095, 2047, 1023, 511, 255, 127, 63, 31, 15, 7, 3, 1);
    const __m512i same = _mm512_set1_epi16((short)(TIME_HIGH << 12 | state->high));
    const int64_t start = high_time(state);
    const __m512i high = _mm512_set1_epi64(start);
    __m512i row = _mm512_set1_epi16((short)state->y), low = _mm512_set1_epi16((short)state->low);
    ae_columns at = *out;                   /* a copy that stores to the columns cannot change */
    int stopped = 0;
    while (!stopped && i + 36 <= words && at.n + 64 <= limit) {
        const size_t n = at.n;
        __m512i word = _mm512_loadu_si512(data + 2 * i);
        __m512i type = _mm512_srli_epi16(word, 12);
        uint32_t singles = _mm512_cmpeq_epi16_mask(type, _mm512_set1_epi16(ADDR_X));
        uint32_t rows = _mm512_testn_epi16_mask(type, type);
        uint32_t lows = _mm512_cmpeq_epi16_mask(type, _mm512_set1_epi16(TIME_LOW));
        uint32_t other = ~(singles | rows | lows | _mm512_cmpeq_epi16_mask(word, same));
        unsigned taken = (unsigned)__builtin_ctzll((uint64_t)other | (uint64_t)1 << 32);
        uint32_t valid = (uint32_t)(((uint64_t)1 << taken) - 1);    /* the words before `other` */
        singles &= valid;

        __m512i event = _mm512_maskz_compress_epi16(singles, word);
        _mm512_storeu_si512(at.x + n, _mm512_and_si512(event, eleven));
        __m512i on = _mm512_and_si512(_mm512_srli_epi16(event, 11), one);
        _mm256_storeu_si256((void *)(at.p + n), _mm512_cvtepi16_epi8(on));

        row = filled_v4(_mm512_and_si512(word, eleven), rows & valid, row, lower);
        _mm512_storeu_si512(at.y + n, _mm512_maskz_compress_epi16(singles, row));
        row = _mm512_permutexvar_epi16(last, row);

        low = filled_v4(_mm512_and_si512(word, twelve), lows & valid, low, lower);
        store_times_v4(at.t + n, high, _mm512_maskz_compress_epi16(singles, low));
        low = _mm512_permutexvar_epi16(last, low);

        at.n = n + (unsigned)__builtin_popcount(singles);
        i += taken;
        if (other) {
            uint32_t y = (uint16_t)_mm_extract_epi16(_mm512_castsi512_si128(row), 0);
            int64_t t = start + _mm_extract_epi16(_mm512_castsi512_si128(low), 0);
            i = vectors(vector_v4, data, i, words, limit, t, y, state, &at);
            stopped = i < words && !(PLAIN >> (word_at(data, i) >> 12) & 1);
        }
    }
    out->n = at.n;
    state->y = _mm_extract_epi16(_mm512_castsi512_si128(row), 0);
    state->low = _mm_extract_epi16(_mm512_castsi512_si128(low), 0);
    return stopped ? i : plain_base(data, i, words, limit, state, out);
}

AE_V4 static size_t decode_v4(const uint8_t *data, size_t words, ae_evt3 *state, ae_columns *out)
{
    return decode_with(plain_v4, data, words, state, out);
}
