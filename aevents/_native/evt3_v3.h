/* EVT 3.0 with AVX2: shuffles from the table, eight words each. Part of evt3.c. */

/* What runs through the words, in every lane: row, TIME_LOW, and the time that it adds to. */
typedef struct {
    __m128i row, low;
    __m256i high;
} running;

/* Gives each lane the last value that a lane of `set` had, or the running one. */
AE_V3 AE_INLINE __m128i filled(__m128i value, unsigned set, __m128i carried)
{
    __m128i fill = _mm_loadu_si128((const void *)table.fill[set]);
    __m128i none = _mm_srai_epi16(fill, 15);
    return _mm_or_si128(_mm_shuffle_epi8(value, fill), _mm_and_si128(carried, none));
}

/* Writes the events among eight words: bit sets say which words are single events, rows, times. */
AE_V3 AE_INLINE void eight_v3(__m128i word, unsigned single, unsigned row, unsigned low,
                              running *now, ae_columns *out)
{
    const size_t n = out->n;
    const __m128i eleven = _mm_set1_epi16(0x7FF), twelve = _mm_set1_epi16(0xFFF);
    const __m128i last = _mm_set1_epi16(0x0F0E);
    __m128i compress = _mm_loadu_si128((const void *)table.compress[single]);

    __m128i event = _mm_shuffle_epi8(word, compress);
    _mm_storeu_si128((void *)(out->x + n), _mm_and_si128(event, eleven));
    __m128i on = _mm_and_si128(_mm_srli_epi16(event, 11), _mm_set1_epi16(1));
    _mm_storel_epi64((void *)(out->p + n), _mm_packus_epi16(on, on));

    __m128i rows = filled(_mm_and_si128(word, eleven), row, now->row);
    _mm_storeu_si128((void *)(out->y + n), _mm_shuffle_epi8(rows, compress));
    now->row = _mm_shuffle_epi8(rows, last);

    __m128i lows = filled(_mm_and_si128(word, twelve), low, now->low);
    now->low = _mm_shuffle_epi8(lows, last);
    lows = _mm_shuffle_epi8(lows, compress);
    __m256i t0 = _mm256_add_epi64(now->high, _mm256_cvtepu16_epi64(lows));
    __m256i t1 = _mm256_add_epi64(now->high, _mm256_cvtepu16_epi64(_mm_srli_si128(lows, 8)));
    _mm256_storeu_si256((void *)(out->t + n), t0);
    _mm256_storeu_si256((void *)(out->t + n + 4), t1);
    out->n = n + table.counts[single];
}

/* Most groups have few events: eight slots are filled at a time. */
AE_V3 AE_INLINE size_t vector_v3(uint32_t mask, uint32_t x, int64_t t, uint32_t row, uint32_t on,
                                 const ae_columns *at, size_t n)
{
    const __m128i y = _mm_set1_epi16((short)row), p = _mm_set1_epi8((char)on);
    const __m256i times = _mm256_set1_epi64x(t);
    size_t start = n;
    for (uint32_t byte = 0; byte < 4; byte++, mask >>= 8) {
        __m128i positions = _mm_loadu_si128((const void *)table.positions[mask & 255]);
        __m128i base = _mm_set1_epi16((short)(x + 8 * byte));
        _mm_storeu_si128((void *)(at->x + n), _mm_add_epi16(base, positions));
        n += table.counts[mask & 255];
    }
    for (size_t k = start; k < n; k += 8) {
        _mm_storeu_si128((void *)(at->y + k), y);
        _mm_storel_epi64((void *)(at->p + k), p);
        _mm256_storeu_si256((void *)(at->t + k), times);
        _mm256_storeu_si256((void *)(at->t + k + 4), times);
    }
    return n;
}

/* Sixteen words at a time. A word that is none of the usual ones ends the block early: vectors are
 * decoded at once, and the next block begins after them. */
AE_V3 AE_INLINE size_t plain_v3(const uint8_t *data, size_t i, size_t words, size_t limit,
                                ae_evt3 *state, ae_columns *out)
{
    const __m256i same = _mm256_set1_epi16((short)(TIME_HIGH << 12 | state->high));
    const int64_t high = high_time(state);
    running now = {_mm_set1_epi16((short)state->y), _mm_set1_epi16((short)state->low),
                   _mm256_set1_epi64x(high)};
    ae_columns at = *out;                   /* a copy that stores to the columns cannot change */
    int stopped = 0;
    while (!stopped && i + 20 <= words && at.n + 48 <= limit) {
        __m256i word = _mm256_loadu_si256((const void *)(data + 2 * i));
        __m256i type = _mm256_srli_epi16(word, 12);
        __m256i single = _mm256_cmpeq_epi16(type, _mm256_set1_epi16(ADDR_X));
        __m256i row = _mm256_cmpeq_epi16(type, _mm256_set1_epi16(ADDR_Y));
        __m256i low = _mm256_cmpeq_epi16(type, _mm256_set1_epi16(TIME_LOW));
        __m256i known = _mm256_or_si256(_mm256_or_si256(single, row),
                                        _mm256_or_si256(low, _mm256_cmpeq_epi16(word, same)));
        /* Bytes from bit 0 on: singles and rows of the lower eight words, then of the upper. */
        unsigned sets = (unsigned)_mm256_movemask_epi8(_mm256_packs_epi16(single, row));
        unsigned more = (unsigned)_mm256_movemask_epi8(_mm256_packs_epi16(low, known));
        unsigned taken = 16, other = ~((more >> 8 & 0xFF) | (more >> 16 & 0xFF00)) & 0xFFFF;
        if (other) {                        /* only the words before it count */
            taken = (unsigned)__builtin_ctz(other);
            unsigned valid = (1u << taken) - 1;
            unsigned mask = (valid & 0xFF) * 0x101 | (valid >> 8) * 0x1010000;
            sets &= mask;
            more &= mask;
        }
        eight_v3(_mm256_castsi256_si128(word), sets & 255, sets >> 8 & 255, more & 255, &now, &at);
        eight_v3(_mm256_extracti128_si256(word, 1), sets >> 16 & 255, sets >> 24,
                 more >> 16 & 255, &now, &at);
        i += taken;
        if (other) {
            uint32_t y = (uint16_t)_mm_extract_epi16(now.row, 0);
            int64_t t = high + _mm_extract_epi16(now.low, 0);
            i = vectors(vector_v3, data, i, words, limit, t, y, state, &at);
            stopped = i < words && !(PLAIN >> (word_at(data, i) >> 12) & 1);
        }
    }
    out->n = at.n;
    state->y = _mm_extract_epi16(now.row, 0);
    state->low = _mm_extract_epi16(now.low, 0);
    return stopped ? i : plain_base(data, i, words, limit, state, out);
}

AE_V3 static size_t decode_v3(const uint8_t *data, size_t words, ae_evt3 *state, ae_columns *out)
{
    return decode_with(plain_v3, data, words, state, out);
}
