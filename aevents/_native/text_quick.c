/* Usual rows of text -> columns, over twice as fast as text_read.c reads any row.
 *
 * Usual are four columns with one separator between them: plain digits, p one digit, decimal seconds
 * with a point, a line of at most 31 bytes. What is not usual is left to text_read.c.
 *
 * Reading number by number is a chain: where a number starts depends on how long those before it
 * are. So the ends of all numbers of a row are found at once: they are the bytes that are no digits,
 * a bit each in a mask of 32. Then the numbers are read side by side. Each is taken from the bytes
 * that end where it ends, so that its last digit is always in the same place; what stands before
 * its first digit is cleared. Only the length of a row has to be known before the next begins. */
#include "dispatch.h"
#include "text.h"

#include <string.h>

ae_quick ae_quick_of(const ae_text *state, const uint8_t *data, size_t length)
{
    const int64_t column[] = {state->t_column, state->x_column, state->y_column, state->p_column};
    int seconds = state->seconds != 0;
    ae_quick layout = {.pieces = 4 + seconds, .again = data};
    layout.returns = length > 1 && data[length - 2] == '\r';
    uint8_t *place[] = {&layout.t, &layout.x, &layout.y, &layout.p};
    int seen = 0;
    for (int role = 0; role < 4; role++) {
        int64_t number = column[role];
        if (number < 0 || number > 3)
            return (ae_quick){0};
        seen |= 1 << number;
        *place[role] = (uint8_t)(number + (seconds && number > column[0]));
    }
    memset(layout.behind, (int)state->separator, sizeof layout.behind);
    if (seconds)
        layout.behind[layout.t] = '.';
    return state->columns == 4 && seen == 15 ? layout : (ae_quick){0};
}

#if AE_X86

enum {
    LOOK = 32,       /* bytes that are looked at from the start of a row on */
    AHEAD = 40,      /* bytes that there must be: no pointer goes further */
    BEFORE = 16,     /* bytes that there must be before it: the longest number */
};

/* `KEEP + n` clears all but the last n of 16 bytes, `KEEP + 8 + n` of eight; of a digit it leaves
 * the value. */
static const uint8_t KEEP[32] = {0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
                                 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15};

AE_INLINE uint64_t load8(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

AE_INLINE __m128i load16(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* ---- what the instruction sets do differently ------------------------------------------------- */

/* Which of 32 bytes are no digits: adding 70 takes digits, and nothing else, above 117. */
typedef uint32_t others_of(const uint8_t *at);

/* Sixteen digits, as bytes of 0 to 9, added in pairs: eight numbers of 16 bits. */
typedef __m128i pairs_of(__m128i digits);

AE_INLINE uint32_t others_base(const uint8_t *at)
{
    const __m128i add = _mm_set1_epi8(70), above = _mm_set1_epi8(117);
    __m128i low = _mm_cmpgt_epi8(_mm_add_epi8(load16(at), add), above);
    __m128i high = _mm_cmpgt_epi8(_mm_add_epi8(load16(at + 16), add), above);
    return ~((uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16);
}

AE_INLINE __m128i pairs_base(__m128i digits)
{
    __m128i tens = _mm_mullo_epi16(digits, _mm_set1_epi16(10));
    __m128i pairs = _mm_add_epi16(tens, _mm_srli_epi16(digits, 8));
    return _mm_and_si128(pairs, _mm_set1_epi16(255));
}

AE_V3 AE_INLINE uint32_t others_v3(const uint8_t *at)
{
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
    bytes = _mm256_add_epi8(bytes, _mm256_set1_epi8(70));
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(bytes, _mm256_set1_epi8(117)));
}

AE_V3 AE_INLINE __m128i pairs_v3(__m128i digits)
{
    return _mm_maddubs_epi16(digits, _mm_set1_epi16(1 << 8 | 10));
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* The bytes of a row between two that are no digits. */
typedef struct {
    const uint8_t *end;
    size_t length;
} piece;

AE_INLINE piece piece_of(const uint8_t *const *ends, int number)
{
    return (piece){ends[number + 1], (size_t)(ends[number + 1] - ends[number] - 1)};
}

AE_INLINE int has_up_to(size_t most, piece number)
{
    return number.length - 1 < most;
}

/* t, of up to 16 digits, x and y, of up to 8. The last two are returned in 32 bits each. */
AE_INLINE uint64_t values(piece t, piece x, piece y, pairs_of *pairs, uint64_t *time)
{
    const __m128i hundreds = _mm_set1_epi32(1 << 16 | 100);
    const __m128i myriads = _mm_set1_epi32(1 << 16 | 10000);
    __m128i left = _mm_and_si128(load16(t.end - 16), load16(KEEP + t.length));
    __m128i right = _mm_and_si128(
        _mm_set_epi64x((int64_t)load8(y.end - 8), (int64_t)load8(x.end - 8)),
        _mm_set_epi64x((int64_t)load8(KEEP + 8 + y.length), (int64_t)load8(KEEP + 8 + x.length)));
    left = _mm_madd_epi16(pairs(left), hundreds);
    right = _mm_madd_epi16(pairs(right), hundreds);
    __m128i eights = _mm_madd_epi16(_mm_packs_epi32(left, right), myriads);
    uint64_t halves = (uint64_t)_mm_cvtsi128_si64(eights);
    *time = (uint32_t)halves * POWER_OF_10[8] + (halves >> 32);
    return (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(eights, eights));
}

/* What decimals add to t: the first eight of them count. */
AE_INLINE int64_t with_decimals(uint64_t seconds, piece decimals)
{
    size_t count = decimals.length < 8 ? decimals.length : 8;
    uint64_t digits = load8(decimals.end - decimals.length + count - 8) & load8(KEEP + 8 + count);
    return microseconds(seconds, value_of_eight(digits), (int)count);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Put the event of the line at `row` into place n; returns the length of the line, or 0 if it is
 * not a usual one. A bit of `others` is a byte that is no digit. */
AE_INLINE size_t quick_row(const uint8_t *row, uint32_t others, pairs_of *pairs,
                           const ae_quick *layout, int pieces, const ae_columns *out, size_t n)
{
    uint64_t left = others | (uint64_t)0x1F << LOOK;     /* so that there are enough */
    const uint8_t *ends[6] = {row - 1};
    for (int i = 1; i <= pieces; i++) {
        ends[i] = row + __builtin_ctzll(left);
        left &= left - 1;
    }
    const uint8_t *last = ends[pieces];
    if (last >= row + LOOK - 1)
        return 0;
    for (int i = 1; i < pieces; i++)
        if (*ends[i] != layout->behind[i - 1])
            return 0;
    if (*last != '\n' && (*last != '\r' || *++last != '\n'))
        return 0;

    piece t = piece_of(ends, layout->t), p = piece_of(ends, layout->p);
    piece x = piece_of(ends, layout->x), y = piece_of(ends, layout->y);
    unsigned polarity = p.end[-1] & 15u;
    if (!has_up_to(pieces == 5 ? 12 : 16, t) || !has_up_to(8, x) || !has_up_to(8, y) ||
        p.length != 1 || polarity > 1)
        return 0;
    uint64_t time;
    uint64_t place = values(t, x, y, pairs, &time);
    if (place & 0xFFFF0000FFFF0000u)
        return 0;
    if (pieces == 5) {
        piece decimals = piece_of(ends, layout->t + 1);
        if (!decimals.length)
            return 0;
        time = (uint64_t)with_decimals(time, decimals);
    }
    out->t[n] = (int64_t)time;
    out->x[n] = (uint16_t)place;
    out->y[n] = (uint16_t)(place >> 32);
    out->p[n] = (uint8_t)polarity;
    return (size_t)(last - row) + 1;
}

AE_INLINE const uint8_t *quick_rows(const uint8_t *at, const uint8_t *until, const uint8_t *end,
                                    others_of *others, pairs_of *pairs, const ae_quick *layout,
                                    int pieces, ae_columns *out)
{
    const ae_columns room = *out;
    size_t n = room.n;
    while (at < until && end - at >= AHEAD && n + AE_SLACK <= room.capacity) {
        size_t length = quick_row(at, others(at), pairs, layout, pieces, &room, n);
        if (!length)
            break;
        at += length;
        n++;
    }
    out->n = n;
    return at;
}

#define READER(name, others, pairs, pieces)                                                        \
    static const uint8_t *name(const uint8_t *at, const uint8_t *end, ae_quick *layout,            \
                               ae_columns *out)                                                    \
    {                                                                                              \
        return quick_rows(at, end, end, others, pairs, layout, pieces, out);                       \
    }

READER(rows4_base, others_base, pairs_base, 4)
READER(rows5_base, others_base, pairs_base, 5)
AE_V3 READER(rows4_v3, others_v3, pairs_v3, 4)
AE_V3 READER(rows5_v3, others_v3, pairs_v3, 5)

#include "text_v4.h"

/* What blocks do not take is left to rows by themselves, up to the end of the block. */
#define BLOCK_READER(name, pieces)                                                                 \
    AE_V4 static const uint8_t *name(const uint8_t *at, const uint8_t *end, ae_quick *layout,      \
                                     ae_columns *out)                                              \
    {                                                                                              \
        do {                                                                                       \
            if (at >= layout->again)                                                               \
                at = blocks_v4(at, end, layout, pieces == 5, out);                                 \
            at = quick_rows(at, layout->again, end, others_v3, pairs_v3, layout, pieces, out);     \
        } while (at >= layout->again && out->n + AE_SLACK <= out->capacity);                       \
        return at;                                                                                 \
    }

BLOCK_READER(rows4_v4, 4)
BLOCK_READER(rows5_v4, 5)

typedef const uint8_t *reader(const uint8_t *, const uint8_t *, ae_quick *, ae_columns *);

static reader *rows4 = rows4_base, *rows5 = rows5_base;

void ae_text_select(int level)
{
    rows4 = level >= 4 ? rows4_v4 : level == 3 ? rows4_v3 : rows4_base;
    rows5 = level >= 4 ? rows5_v4 : level == 3 ? rows5_v3 : rows5_base;
}

const uint8_t *ae_quick_rows(const uint8_t *data, const uint8_t *at, const uint8_t *end,
                             ae_quick *layout, ae_columns *out)
{
    if (at - data < BEFORE || !layout->pieces)
        return at;
    return layout->pieces == 4 ? rows4(at, end, layout, out) : rows5(at, end, layout, out);
}

#else

void ae_text_select(int level)
{
    (void)level;
}

const uint8_t *ae_quick_rows(const uint8_t *data, const uint8_t *at, const uint8_t *end,
                             ae_quick *layout, ae_columns *out)
{
    (void)data, (void)end, (void)layout, (void)out;
    return at;
}

#endif
