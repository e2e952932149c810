/* Usual rows of text -> columns, several times as fast as text_read.c reads any row.
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

ae_quick ae_quick_of(const ae_text *state)
{
    const int64_t column[] = {state->t_column, state->x_column, state->y_column, state->p_column};
    int seconds = state->seconds != 0;
    ae_quick layout = {.pieces = 4 + seconds};
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
    BEFORE = 16,     /* bytes that may be read before it: the longest number */
};

/* 16 bytes of zeros, then of ones: `CLEAR + n` keeps the last n of 16, `CLEAR + 8 + n` of eight. */
static const uint8_t CLEAR[32] = {0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
                                  0,   0,   0,   0,   0,   255, 255, 255, 255, 255, 255,
                                  255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

AE_INLINE int64_t load8(const uint8_t *at)
{
    int64_t word;
    memcpy(&word, at, 8);
    return word;
}

AE_INLINE __m128i load16(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* Sixteen digits as four numbers of four digits. */
AE_INLINE __m128i fours(__m128i digits)
{
    __m128i tens = _mm_mullo_epi16(digits, _mm_set1_epi16(10));
    __m128i pairs = _mm_add_epi16(tens, _mm_srli_epi16(digits, 8));
    pairs = _mm_and_si128(pairs, _mm_set1_epi16(255));
    return _mm_madd_epi16(pairs, _mm_set1_epi32(1 << 16 | 100));
}

/* A number: the first byte behind it, and how many digits it has. */
typedef struct {
    const uint8_t *end;
    int length;
} piece;

AE_INLINE piece piece_of(const uint8_t *row, const int *ends, int number)
{
    return (piece){row + ends[number + 1], ends[number + 1] - ends[number] - 1};
}

AE_INLINE uint64_t decimals(piece number, int *count)
{
    *count = number.length < 8 ? number.length : 8;
    const uint8_t *first = number.end - (number.length < 8 ? 8 : number.length);
    return value_of_eight((uint64_t)((load8(first) ^ 0x3030303030303030) &
                                     load8(CLEAR + 8 + *count)));
}

/* Numbers t, x and y; t has up to 16 digits, the others up to 8. Returns x and y, 32 bits each. */
AE_INLINE uint64_t numbers(piece t, piece x, piece y, uint64_t *value)
{
    const __m128i zeros = _mm_set1_epi8('0');
    __m128i left = _mm_xor_si128(load16(t.end - 16), zeros);
    __m128i right = _mm_xor_si128(_mm_set_epi64x(load8(y.end - 8), load8(x.end - 8)), zeros);
    left = _mm_and_si128(left, load16(CLEAR + t.length));
    right = _mm_and_si128(right, _mm_set_epi64x(load8(CLEAR + 8 + y.length),
                                                load8(CLEAR + 8 + x.length)));
    __m128i eights = _mm_madd_epi16(_mm_packs_epi32(fours(left), fours(right)),
                                    _mm_set1_epi32(1 << 16 | 10000));
    uint64_t halves = (uint64_t)_mm_cvtsi128_si64(eights);
    *value = (uint32_t)halves * POWER_OF_10[8] + (halves >> 32);
    return (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(eights, eights));
}

/* The length of the line at `row`, whose event goes into place n; 0 if it is not a usual row. `ends`
 * has a bit for each byte that is no digit; `pieces` is a constant where this is inlined. */
AE_INLINE int quick_row(const uint8_t *row, uint32_t others, const ae_quick *layout, int pieces,
                        const ae_columns *out, size_t n)
{
    uint64_t left = others | (uint64_t)0x3F << LOOK;     /* so that there are enough */
    int ends[6] = {-1};
    for (int i = 1; i <= pieces; i++) {
        ends[i] = __builtin_ctzll(left);
        left &= left - 1;
    }
    int last = ends[pieces];
    if (last >= LOOK - 1)
        return 0;
    int wrong = 0;
    for (int i = 1; i < pieces; i++)
        wrong |= row[ends[i]] ^ layout->behind[i - 1];

    int with_decimals = pieces == 5;
    piece t = piece_of(row, ends, layout->t), p = piece_of(row, ends, layout->p);
    piece x = piece_of(row, ends, layout->x), y = piece_of(row, ends, layout->y);
    unsigned polarity = (unsigned)(p.end[-1] - '0');
    wrong |= (unsigned)(t.length - 1) >= (with_decimals ? 12 : 16);
    wrong |= ((unsigned)(x.length - 1) >= 8) | ((unsigned)(y.length - 1) >= 8);
    wrong |= (p.length != 1) | (polarity > 1);
    if (wrong)
        return 0;

    uint64_t time;
    uint64_t place = numbers(t, x, y, &time);
    if (place & 0xFFFF0000FFFF0000u)
        return 0;
    if (with_decimals) {
        piece fraction = piece_of(row, ends, layout->t + 1);
        int count;
        uint64_t value = decimals(fraction, &count);
        if (count < 1)
            return 0;
        time = (uint64_t)microseconds(time, value, count);
    }
    if (row[last] != '\n') {
        if (row[last] != '\r' || row[last + 1] != '\n')
            return 0;
        last++;
    }
    out->t[n] = (int64_t)time;
    out->x[n] = (uint16_t)place;
    out->y[n] = (uint16_t)(place >> 32);
    out->p[n] = (uint8_t)polarity;
    return last + 1;
}

/* Which of 32 bytes are no digits: adding 70 takes digits, and nothing else, above 117. */
AE_INLINE uint32_t others_base(const uint8_t *at)
{
    const __m128i add = _mm_set1_epi8(70), above = _mm_set1_epi8(117);
    __m128i low = _mm_cmpgt_epi8(_mm_add_epi8(load16(at), add), above);
    __m128i high = _mm_cmpgt_epi8(_mm_add_epi8(load16(at + 16), add), above);
    return ~((uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16);
}

AE_V3 AE_INLINE uint32_t others_v3(const uint8_t *at)
{
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
    bytes = _mm256_add_epi8(bytes, _mm256_set1_epi8(70));
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(bytes, _mm256_set1_epi8(117)));
}

/* The loop, once for each way to find the ends, and each number of pieces. */
#define QUICK_ROWS(others, pieces)                                                                 \
    const ae_columns room = *out;                                                                  \
    size_t n = room.n;                                                                             \
    for (int length = 1; length && end - at >= LOOK && n + AE_SLACK <= room.capacity; at += length) { \
        length = quick_row(at, others(at), layout, pieces, &room, n);                              \
        n += length != 0;                                                                          \
    }                                                                                              \
    out->n = n;                                                                                    \
    return at;

static const uint8_t *rows4_base(const uint8_t *at, const uint8_t *end, const ae_quick *layout,
                                 ae_columns *out)
{
    QUICK_ROWS(others_base, 4)
}

static const uint8_t *rows5_base(const uint8_t *at, const uint8_t *end, const ae_quick *layout,
                                 ae_columns *out)
{
    QUICK_ROWS(others_base, 5)
}

AE_V3 static const uint8_t *rows4_v3(const uint8_t *at, const uint8_t *end, const ae_quick *layout,
                                     ae_columns *out)
{
    QUICK_ROWS(others_v3, 4)
}

AE_V3 static const uint8_t *rows5_v3(const uint8_t *at, const uint8_t *end, const ae_quick *layout,
                                     ae_columns *out)
{
    QUICK_ROWS(others_v3, 5)
}

typedef const uint8_t *reader(const uint8_t *, const uint8_t *, const ae_quick *, ae_columns *);

static reader *rows4 = rows4_base, *rows5 = rows5_base;

void ae_text_select(int level)
{
    rows4 = level >= 3 ? rows4_v3 : rows4_base;
    rows5 = level >= 3 ? rows5_v3 : rows5_base;
}

const uint8_t *ae_quick_rows(const uint8_t *data, const uint8_t *at, const uint8_t *end,
                             const ae_quick *layout, ae_columns *out)
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
                             const ae_quick *layout, ae_columns *out)
{
    (void)data, (void)end, (void)layout, (void)out;
    return at;
}

#endif
