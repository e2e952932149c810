/* What the two readers of rows share: text_read.c, which takes any row, and text_quick.c, which is
 * quick at usual ones, with AVX-512 (text_v4.h) in blocks. */
#ifndef AEVENTS_TEXT_H
#define AEVENTS_TEXT_H
#include "cpu.h"
#include "kernels.h"

static const uint64_t POWER_OF_10[] = {1,      10,      100,      1000,     10000,
                                       100000, 1000000, 10000000, 100000000};

/* Eight digits, the first in the lowest byte, as bytes of 0 to 9: added in pairs, fours and eight. */
AE_INLINE uint64_t value_of_eight(uint64_t digits)
{
    digits = digits * 10 + (digits >> 8);
    return (((digits & 0x000000FF000000FFu) * 0x000F424000000064u) +
            (((digits >> 16) & 0x000000FF000000FFu) * 0x0000271000000001u)) >> 32;
}

/* Seconds and `decimals` digits behind the point, 8 at most, as microseconds. A fraction of longer
 * numbers is cut there: as a number of 10 ns, it holds all that rounding half away needs to know. */
AE_INLINE int64_t microseconds(uint64_t seconds, uint64_t fraction, int decimals)
{
    return (int64_t)(seconds * 1000000 + (fraction * POWER_OF_10[8 - decimals] + 50) / 100);
}

/* The layout of rows that can be read quickly: `pieces` numbers, with one byte behind each. */
typedef struct {
    int pieces;           /* 4; with decimal seconds 5, as those are two; 0: read no row quickly */
    int returns;          /* whether lines end with CRLF: the last does */
    const uint8_t *again; /* from where on rows may be read in blocks */
    uint8_t behind[5];    /* a separator, or the point; the last is not used */
    uint8_t t;            /* which piece each column is; decimals are the one after t */
    uint8_t x;
    uint8_t y;
    uint8_t p;
} ae_quick;

ae_quick ae_quick_of(const ae_text *state, const uint8_t *data, size_t length);

/* Append the events of rows from `at` on, as long as they are usual and there is room for them;
 * returns where the next row starts. `data` is where the text begins: bytes from there on to `end`
 * are read. */
const uint8_t *ae_quick_rows(const uint8_t *data, const uint8_t *at, const uint8_t *end,
                             ae_quick *layout, ae_columns *out);

#endif
