/* The words by which a damaged recording is told from a healthy one: those that say another time
 * than the one before, and those that no writer writes. See ahead.h. */
#include "dispatch.h"
#include "marks.h"

/* ---- the clock ---------------------------------------------------------------------------------- */

AE_INLINE int is_beyond(const ae_marks *state, int64_t step, int64_t most)
{
    return step > most && state->mask + 1 - step > most;
}

/* Whether the step to the last time is one that this one does not bear out: with the step to here,
 * it leads back to where the clock was. */
AE_INLINE int leads_back(const ae_marks *state, int64_t step, int64_t words)
{
    int64_t before = state->step, around = (before + step) & state->mask;
    int leaps = is_beyond(state, before, state->leap);
    int usual = state->usual_before >= AE_CONTEXT, orderly = state->orderly_before >= AE_CONTEXT;
    return (usual && before != 1 && around <= 2 && (words > AE_FEW_WORDS || leaps)) ||
           (usual && before == 1 && step == state->mask) ||
           (orderly && leaps && around <= state->leap / 8);
}

/* Takes in that word `place` says another time. `goes_on`: the lower bits of time do not begin again
 * there. */
AE_INLINE void says(ae_marks *state, int64_t time, int64_t place, int goes_on)
{
    int64_t step = (time - state->time) & state->mask, words = place - state->place;
    int many = words > AE_FEW_WORDS;
    if (step == 1 && state->step == 1) {   /* as usual */
        state->doubts += many && goes_on && state->usual >= AE_CONTEXT;
        state->usual_before = state->usual++;
        state->orderly_before = state->orderly++;
    } else if (state->step == -2) {        /* the first time of all */
        state->step = -1;
    } else {
        state->doubts += is_beyond(state, step, state->far) ||
                         (state->step >= 0 && leads_back(state, step, words)) ||
                         (many && state->usual >= AE_CONTEXT &&
                          (step == 2 || (step == 1 && goes_on)));
        state->usual_before = state->usual;
        state->orderly_before = state->orderly;
        state->usual = (state->usual + 1) & -(int64_t)(step == 1);
        state->orderly = (state->orderly + 1) & -(int64_t)(step <= state->leap / 16);
        state->step = step;
    }
    state->time = time;
    state->place = place;
}

/* A set of types with bit width - 1 - i for type i: shifted left by a type, its top bit tells. */
AE_INLINE uint32_t reversed(uint32_t types, int width)
{
    uint32_t set = 0;
    for (int type = 0; type < 16; type++)
        set |= (types >> type & 1) << (width - 1 - type);
    return set;
}

/* ---- EVT3 -------------------------------------------------------------------------------------- */

enum { LOW3 = 0x6, HIGH3 = 0x8, NEAR3 = 32 };   /* so near to TIME_HIGH TIME_LOW is looked for */

#define MARKED3 (1u << HIGH3 | 1u << 0x9 | 1u << 0xB | 1u << 0xC)     /* and what is reserved */

/* Whether TIME_LOW has not begun again at word `i`, or that cannot be told. */
static int goes_on16(const uint8_t *data, size_t i, size_t words)
{
    size_t before = 1, behind = 1;
    if (i < NEAR3 || i + NEAR3 >= words)
        return 1;
    while (before <= NEAR3 && ae_load16(data + 2 * (i - before)) >> 12 != LOW3)
        before++;
    while (behind <= NEAR3 && ae_load16(data + 2 * (i + behind)) >> 12 != LOW3)
        behind++;
    return before <= NEAR3 && behind <= NEAR3 &&
           ae_load16(data + 2 * (i - before)) <= ae_load16(data + 2 * (i + behind));
}

/* Looks at a word of a marked type; returns whether it is a mark. */
AE_INLINE int look16(const uint8_t *data, size_t i, size_t words, ae_marks *state)
{
    uint32_t word = ae_load16(data + 2 * i);
    if (word >> 12 == HIGH3) {
        if (word == (uint32_t)state->last)
            return 0;
        int64_t place = state->words + (int64_t)i;
        int many = place - state->place > AE_FEW_WORDS;
        says(state, word & 0xFFF, place, many && goes_on16(data, i, words));
        state->last = word;
    } else {
        state->doubts++;
    }
    return 1;
}

static size_t evt3_base(ae_words in, ae_marks *state, uint32_t *out)
{
    size_t n = 0;
    for (size_t i = in.start; i < in.stop; i++) {
        out[n] = (uint32_t)i;
        if (MARKED3 >> (ae_load16(in.data + 2 * i) >> 12) & 1)
            n += (size_t)look16(in.data, i, in.words, state);
    }
    return n;
}

#if AE_X86

/* Thirty-two words at a time: a bit for each of a marked type. */
AE_V3 static size_t evt3_v3(ae_words in, ae_marks *state, uint32_t *out)
{
    const uint8_t *data = in.data;
    const __m256i marked = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 0, -1, -1, 0, 0, 0));
    const __m256i low = _mm256_set1_epi16(0x00FF), four = _mm256_set1_epi8(0x0F);
    size_t n = 0;
    for (; in.start + 32 <= in.stop; in.start += 32) {
        size_t i = in.start;
        __m256i a = _mm256_loadu_si256((const void *)(data + 2 * i));
        __m256i b = _mm256_loadu_si256((const void *)(data + 2 * i + 32));
        __m256i upper = _mm256_packus_epi16(_mm256_and_si256(_mm256_srli_epi16(a, 8), low),
                                            _mm256_and_si256(_mm256_srli_epi16(b, 8), low));
        __m256i types = _mm256_and_si256(_mm256_srli_epi16(upper, 4), four);
        __m256i found = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(marked, types), 0xD8);
        for (uint32_t bits = (uint32_t)_mm256_movemask_epi8(found); bits; bits &= bits - 1) {
            size_t j = i + (size_t)__builtin_ctz(bits);
            out[n] = (uint32_t)j;
            n += (size_t)look16(data, j, in.words, state);
        }
    }
    return n + evt3_base(in, state, out + n);
}

/* Sixty-four words at a time. */
AE_V4 static size_t evt3_v4(ae_words in, ae_marks *state, uint32_t *out)
{
    const __m512i types = _mm512_set1_epi16((short)reversed(MARKED3, 16));
    size_t n = 0;
    for (; in.start + 64 <= in.stop; in.start += 64) {
        const uint8_t *at = in.data + 2 * in.start;
        __m512i a = _mm512_srli_epi16(_mm512_loadu_si512(at), 12);
        __m512i b = _mm512_srli_epi16(_mm512_loadu_si512(at + 64), 12);
        uint64_t bits = _mm512_movepi16_mask(_mm512_sllv_epi16(types, a)) |
                        (uint64_t)_mm512_movepi16_mask(_mm512_sllv_epi16(types, b)) << 32;
        for (; bits; bits &= bits - 1) {
            size_t i = in.start + (size_t)__builtin_ctzll(bits);
            out[n] = (uint32_t)i;
            n += (size_t)look16(in.data, i, in.words, state);
        }
    }
    return n + evt3_base(in, state, out + n);
}
#endif

/* ---- EVT2, EVT2.1, EVT4 ------------------------------------------------------------------------ */

enum { NEAR2 = 2 };                        /* so near to TIME_HIGH events are looked for */

AE_INLINE uint32_t is_one_of(uint32_t word, uint32_t types)
{
    return types >> (word >> 28) & 1;
}

AE_INLINE uint32_t low32(uint32_t word)
{
    return word >> 22 & 63;
}

/* Whether the lower bits of time have not begun again at word `i`, or that cannot be told. */
static int goes_on32(const uint8_t *data, size_t stride, size_t i, size_t words, uint32_t events)
{
    size_t before = 1, behind = 1;
    if (i < NEAR2 || i + NEAR2 >= words)
        return 1;
    while (before <= NEAR2 && !is_one_of(ae_load32(data + stride * (i - before)), events))
        before++;
    while (behind <= NEAR2 && !is_one_of(ae_load32(data + stride * (i + behind)), events))
        behind++;
    return before <= NEAR2 && behind <= NEAR2 &&
           low32(ae_load32(data + stride * (i - before))) <=
               low32(ae_load32(data + stride * (i + behind)));
}

/* The types of the words that `look32` must see. */
AE_INLINE uint32_t marked32(const ae_marks *state)
{
    return (uint32_t)(state->reserved | state->vectors) | (uint32_t)1 << state->high;
}

/* Looks at a word of a marked type; returns whether it is a mark. */
AE_INLINE int look32(const uint8_t *data, size_t stride, size_t i, size_t words, ae_marks *state)
{
    uint32_t word = ae_load32(data + stride * i);
    int64_t place = state->words + (int64_t)i;
    if (state->masked == place + 1)
        return 0;
    if (word >> 28 == (uint32_t)state->high) {
        if (word == (uint32_t)state->last)
            return 0;
        int many = place - state->place > AE_FEW_WORDS;
        says(state, word & 0xFFFFFFF, place,
             many && goes_on32(data, stride, i, words, (uint32_t)state->events));
        state->last = word;
        return 1;
    }
    if (is_one_of(word, (uint32_t)state->vectors)) {
        state->masked = place + 2;
        return 0;
    }
    state->doubts++;
    return 1;
}

AE_INLINE size_t marks32(ae_words in, size_t stride, ae_marks *state, uint32_t *out)
{
    const uint32_t types = marked32(state);
    size_t n = 0;
    for (size_t i = in.start; i < in.stop; i++) {
        out[n] = (uint32_t)i;
        if (is_one_of(ae_load32(in.data + stride * i), types))
            n += (size_t)look32(in.data, stride, i, in.words, state);
    }
    return n;
}

static size_t evt2_base(ae_words in, ae_marks *state, uint32_t *out)
{
    in.data += state->typed;
    return state->stride == 8 ? marks32(in, 8, state, out) : marks32(in, 4, state, out);
}

#if AE_X86

/* A bit for each of the eight words at `data` that is of a marked type, of a set that is reversed. */
AE_V3 AE_INLINE uint32_t eight32(const uint8_t *data, size_t stride, __m256i types)
{
    __m256i word = _mm256_loadu_si256((const void *)data);
    if (stride == 8) {                     /* of each pair the first half; may read past the last */
        __m256 a = _mm256_castsi256_ps(word), b = _mm256_loadu_ps((const void *)(data + 32));
        word = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
        word = _mm256_permute4x64_epi64(word, 0xD8);
    }
    __m256i found = _mm256_sllv_epi32(types, _mm256_srli_epi32(word, 28));
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(found));
}

AE_V3 AE_INLINE size_t thirty_twos(ae_words in, size_t stride, ae_marks *state, uint32_t *out)
{
    const __m256i types = _mm256_set1_epi32((int)reversed(marked32(state), 32));
    size_t n = 0;
    for (; in.start + 32 <= in.stop && in.start + 33 <= in.words; in.start += 32) {
        size_t i = in.start;
        const uint8_t *at = in.data + stride * i;
        uint32_t bits = eight32(at, stride, types) | eight32(at + 8 * stride, stride, types) << 8 |
                        eight32(at + 16 * stride, stride, types) << 16 |
                        eight32(at + 24 * stride, stride, types) << 24;
        for (; bits; bits &= bits - 1) {
            size_t j = i + (size_t)__builtin_ctz(bits);
            out[n] = (uint32_t)j;
            n += (size_t)look32(in.data, stride, j, in.words, state);
        }
    }
    return n + marks32(in, stride, state, out + n);
}

AE_V3 static size_t evt2_v3(ae_words in, ae_marks *state, uint32_t *out)
{
    in.data += state->typed;
    return state->stride == 8 ? thirty_twos(in, 8, state, out) : thirty_twos(in, 4, state, out);
}

AE_V4 AE_INLINE uint64_t sixteen32(const uint8_t *data, __m512i types)
{
    __m512i kinds = _mm512_srli_epi32(_mm512_loadu_si512(data), 28);
    return _mm512_movepi32_mask(_mm512_sllv_epi32(types, kinds));
}

/* Sixty-four words at a time, if they are of four bytes. */
AE_V4 static size_t evt2_v4(ae_words in, ae_marks *state, uint32_t *out)
{
    const __m512i types = _mm512_set1_epi32((int)reversed(marked32(state), 32));
    size_t n = 0;
    for (; state->stride == 4 && in.start + 64 <= in.stop; in.start += 64) {
        const uint8_t *at = in.data + 4 * in.start;
        uint64_t bits = sixteen32(at, types) | sixteen32(at + 64, types) << 16 |
                        sixteen32(at + 128, types) << 32 | sixteen32(at + 192, types) << 48;
        for (; bits; bits &= bits - 1) {
            size_t i = in.start + (size_t)__builtin_ctzll(bits);
            out[n] = (uint32_t)i;
            n += (size_t)look32(in.data, 4, i, in.words, state);
        }
    }
    return n + evt2_v3(in, state, out + n);
}
#endif

/* ---- DAT --------------------------------------------------------------------------------------- */

AE_INLINE uint32_t leaps(uint32_t time, uint32_t last)
{
    return time - last + AE_MOST_STEP > 2 * AE_MOST_STEP;
}

static size_t dat_base(ae_words in, ae_marks *state, uint32_t *out)
{
    size_t n = 0;
    for (size_t i = in.start; i < in.stop; i++) {
        uint32_t time = ae_load32(in.data + 8 * i), rest = ae_load32(in.data + 8 * i + 4);
        uint32_t last = state->last < 0 ? time : (uint32_t)state->last;
        out[n] = (uint32_t)i;
        n += leaps(time, last) | ((rest & (uint32_t)state->reserved) != 0);
        state->last = time;
    }
    state->doubts += (int64_t)n;
    return n;
}

/* The first record: what comes before it is not in `in`. */
AE_INLINE ae_words first_of(ae_words in)
{
    in.stop = in.start + (in.start < in.stop);
    return in;
}

/* Eight records that come after others. */
static size_t eight(ae_words in, size_t start, ae_marks *state, uint32_t *out)
{
    state->last = ae_load32(in.data + 8 * start - 8);
    in.start = start, in.stop = start + 8;
    return dat_base(in, state, out);
}

/* Those from `start` on. */
static size_t rest_of(ae_words in, size_t start, ae_marks *state, uint32_t *out)
{
    if (start > in.start)
        state->last = ae_load32(in.data + 8 * start - 8);
    in.start = start;
    return dat_base(in, state, out);
}

#if AE_X86

/* Eight records at a time, each held against the one before. */
AE_V3 static size_t dat_v3(ae_words in, ae_marks *state, uint32_t *out)
{
    const __m256i reserved = _mm256_set1_epi32((int)(uint32_t)state->reserved);
    const __m256i most = _mm256_set1_epi32(AE_MOST_STEP), twice = _mm256_add_epi32(most, most);
    ae_words some = first_of(in);
    size_t n = dat_base(some, state, out);
    for (some.start = some.stop; some.start + 8 <= in.stop; some.start += 8) {
        const uint8_t *at = in.data + 8 * some.start;
        __m256 a = _mm256_loadu_ps((const void *)at), b = _mm256_loadu_ps((const void *)(at + 32));
        __m256 c = _mm256_loadu_ps((const void *)(at - 8));
        __m256 d = _mm256_loadu_ps((const void *)(at + 24));
        __m256i time = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
        __m256i rest = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xDD));
        __m256i last = _mm256_castps_si256(_mm256_shuffle_ps(c, d, 0x88));
        __m256i step = _mm256_add_epi32(_mm256_sub_epi32(time, last), most);
        __m256i small = _mm256_cmpeq_epi32(_mm256_max_epu32(step, twice), twice);
        __m256i odd = _mm256_or_si256(_mm256_andnot_si256(small, twice),
                                      _mm256_and_si256(rest, reserved));
        if (!_mm256_testz_si256(odd, odd))
            n += eight(in, some.start, state, out + n);
    }
    return n + rest_of(in, some.start, state, out + n);
}

/* The same, each record loaded once. */
AE_V4 static size_t dat_v4(ae_words in, ae_marks *state, uint32_t *out)
{
    const __m512i reserved = _mm512_set1_epi64((int64_t)((uint64_t)state->reserved << 32));
    const __m512i most = _mm512_set1_epi32(AE_MOST_STEP), twice = _mm512_add_epi32(most, most);
    ae_words some = first_of(in);
    size_t n = dat_base(some, state, out);
    __m512i before = _mm512_set1_epi64(state->last);
    for (some.start = some.stop; some.start + 8 <= in.stop; some.start += 8) {
        __m512i records = _mm512_loadu_si512(in.data + 8 * some.start);
        __m512i last = _mm512_alignr_epi64(records, before, 7);
        __m512i step = _mm512_add_epi32(_mm512_sub_epi32(records, last), most);
        before = records;
        if (_mm512_mask_cmpgt_epu32_mask(0x5555, step, twice) |
            _mm512_test_epi32_mask(records, reserved))
            n += eight(in, some.start, state, out + n);
    }
    return n + rest_of(in, some.start, state, out + n);
}
#endif

/* ---- dispatch ---------------------------------------------------------------------------------- */

static ae_marks_function *evt3 = evt3_base, *evt2 = evt2_base, *dat = dat_base;

size_t ae_evt3_mark(ae_words in, ae_marks *state, uint32_t *out)
{
    return evt3(in, state, out);
}

size_t ae_evt2_mark(ae_words in, ae_marks *state, uint32_t *out)
{
    return evt2(in, state, out);
}

size_t ae_dat_mark(ae_words in, ae_marks *state, uint32_t *out)
{
    return dat(in, state, out);
}

AE_INLINE size_t all(ae_marks_function *mark, const uint8_t *data, size_t words, ae_marks *state,
                     uint32_t *out)
{
    size_t n = mark((ae_words){data, 0, words, words}, state, out);
    state->words += (int64_t)words;
    return n;
}

size_t ae_evt3_marks(const uint8_t *data, size_t words, ae_marks *state, uint32_t *out)
{
    return all(evt3, data, words, state, out);
}

size_t ae_evt2_marks(const uint8_t *data, size_t words, ae_marks *state, uint32_t *out)
{
    return all(evt2, data, words, state, out);
}

size_t ae_dat_marks(const uint8_t *data, size_t records, ae_marks *state, uint32_t *out)
{
    return all(dat, data, records, state, out);
}

void ae_marks_select(int level)
{
    evt3 = evt3_base, evt2 = evt2_base, dat = dat_base;
#if AE_X86
    if (level >= 3)
        evt3 = evt3_v3, evt2 = evt2_v3, dat = dat_v3;
    if (level >= 4)
        evt3 = evt3_v4, evt2 = evt2_v4, dat = dat_v4;
#else
    (void)level;
#endif
}
