/* Columns -> rows of text.
 *
 * Eight digits come from a number by arithmetic on one 64-bit word, and are stored as one; the
 * bytes of leading zeros are shifted away, so that no branch depends on the length of a number. */
#include "cpu.h"
#include "kernels.h"

#include <string.h>

#define ZEROS 0x3030303030303030u

AE_INLINE void store8(uint8_t *out, uint64_t word)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(out, &word, 8);
}

/* The eight digits of a value below 10^8, the first in the lowest byte, as numbers 0..9: the value
 * is cut in two fours, each in two pairs, each in two digits. n / 100 is n * 10486 >> 20 for n below
 * 10^4, and n / 10 is n * 103 >> 10 for n below 100. */
AE_INLINE uint64_t eight_digits(uint32_t value)
{
    uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t upper = (fours * 10486 >> 20) & 0x0000007F0000007Fu;
    uint64_t pairs = upper | (fours - 100 * upper) << 16;
    uint64_t tens = (pairs * 103 >> 10) & 0x000F000F000F000Fu;
    return tens | (pairs - 10 * tens) << 8;
}

/* Writers return where the next byte goes. They store whole words, so up to 7 bytes more than they
 * say: AE_TEXT_ROW leaves room for that. */

AE_INLINE uint8_t *write_short(uint8_t *out, uint32_t value)     /* below 10^8 */
{
    uint64_t digits = eight_digits(value);
    int zeros = __builtin_ctzll(digits | (uint64_t)1 << 56) >> 3;     /* the last digit stays */
    store8(out, (digits | ZEROS) >> 8 * zeros);
    return out + 8 - zeros;
}

AE_INLINE uint8_t *write_eight(uint8_t *out, uint32_t value)
{
    store8(out, eight_digits(value) | ZEROS);
    return out + 8;
}

static uint8_t *write_long(uint8_t *out, uint64_t value)
{
    const uint32_t e8 = 100000000;
    if (value < e8)
        return write_short(out, (uint32_t)value);
    uint64_t upper = value / e8;
    if (upper < e8) {
        out = write_short(out, (uint32_t)upper);
    } else {
        out = write_short(out, (uint32_t)(upper / e8));
        out = write_eight(out, (uint32_t)(upper % e8));
    }
    return write_eight(out, (uint32_t)(value % e8));
}

static uint8_t *write_time(uint8_t *out, int64_t t, int seconds)
{
    uint64_t size = t < 0 ? 0 - (uint64_t)t : (uint64_t)t;
    if (t < 0)
        *out++ = '-';
    if (!seconds)
        return write_long(out, size);
    out = write_long(out, size / 1000000);
    *out++ = '.';
    store8(out, (eight_digits((uint32_t)(size % 1000000)) | ZEROS) >> 16);
    return out + 6;
}

enum { T, X, Y, P };

/* Columns t, x, y, p in the order in which they stand in a row. */
static void order_of(const ae_text *state, uint8_t *order)
{
    const int64_t column[4] = {state->t_column, state->x_column, state->y_column, state->p_column};
    for (int i = 0; i < 4; i++) {
        int place = 0;
        for (int j = 0; j < 4; j++)
            place += column[j] < column[i] || (column[j] == column[i] && j < i);
        order[place] = (uint8_t)i;
    }
}

size_t ae_text_encode(const ae_columns *in, ae_text *state, uint8_t *out, size_t capacity)
{
    uint8_t order[4];
    order_of(state, order);
    uint8_t time[32] = {'0'};     /* many events share a time: its text is kept */
    size_t time_length = 0;
    uint8_t *at = out;
    size_t i = state->next < 0 ? 0 : (size_t)state->next;
    for (; i < in->n && capacity - (size_t)(at - out) >= AE_TEXT_ROW; i++) {
        if (!time_length || in->t[i] != in->t[i - 1])
            time_length = (size_t)(write_time(time, in->t[i], state->seconds != 0) - time);
        for (int column = 0; column < 4; column++) {
            switch (order[column]) {
            case T:
                memcpy(at, time, sizeof time);
                at += time_length;
                break;
            case X:
                at = write_short(at, in->x[i]);
                break;
            case Y:
                at = write_short(at, in->y[i]);
                break;
            default:
                *at++ = in->p[i] ? '1' : '0';
            }
            *at++ = (uint8_t)state->separator;
        }
        at[-1] = '\n';
    }
    state->next = (int64_t)i;
    return (size_t)(at - out);
}
