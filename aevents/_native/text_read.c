/* Rows of text -> columns: any row, exactly. Usual ones are left to text_quick.c.
 *
 * Digits are read eight at a time: which of eight bytes are digits, how many lead, and their value
 * are a few operations on one 64-bit word, without a branch to mispredict on the length of numbers.
 * What is not a plain number (signs, exponents, fractions of integers, words) takes a slow path,
 * which is exact too: it works on the digits, never on a floating point number. */
#include "text.h"

#include <string.h>

#define ZEROS 0x3030303030303030u

/* ---- numbers --------------------------------------------------------------------------------- */

/* A field being read. `end` bounds every read. */
typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} cursor;

/* The next eight bytes, the first in the lowest byte; bytes past the end are 0, so no digits. */
AE_INLINE uint64_t load8(cursor c)
{
    uint64_t word = 0;
    if (c.end - c.at < 8)
        memcpy(&word, c.at, (size_t)(c.end - c.at));
    else
        memcpy(&word, c.at, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* How many of the eight bytes, from the first on, are digits: xor leaves 0..9 in those, and adding
 * 0x76 sets the high bit of any other. A carry can only spoil bytes after the first non-digit. */
AE_INLINE int leading_digits(uint64_t word)
{
    uint64_t digits = word ^ ZEROS;
    uint64_t others = ((digits + 0x7676767676767676u) | digits) & 0x8080808080808080u;
    return others ? __builtin_ctzll(others) >> 3 : 8;
}

/* The value of the first `count` of eight bytes, which are digits: shifted up behind zeros. */
AE_INLINE uint64_t value_of_digits(uint64_t word, int count)
{
    uint64_t digits = (word ^ ZEROS) << 8 * (8 - count) % 64;
    return value_of_eight(count ? digits : 0);
}

/* Up to 16 digits into `value`; returns how many there were. The byte after them decides. */
AE_INLINE int plain_digits(cursor *c, uint64_t *value)
{
    uint64_t word = load8(*c);
    int count = leading_digits(word);
    *value = value_of_digits(word, count);
    c->at += count;
    if (count < 8)
        return count;
    word = load8(*c);
    count = leading_digits(word);
    *value = *value * POWER_OF_10[count] + value_of_digits(word, count);
    c->at += count;
    return 8 + count;
}

static int is_digit(cursor c)
{
    return c.at < c.end && (uint8_t)(*c.at - '0') < 10;
}

/* Skip digits; the number of them. */
static int64_t skip_digits(cursor *c)
{
    const uint8_t *start = c->at;
    while (is_digit(*c))
        c->at++;
    return c->at - start;
}

static int skip_sign(cursor *c)
{
    int sign = c->at < c->end && (*c->at == '+' || *c->at == '-') ? *c->at : 0;
    c->at += sign != 0;
    return sign == '-';
}

/* "e-05" behind the digits of a number. Returns 0 when no digit follows the e. */
static int exponent(cursor *c, int64_t *value)
{
    *value = 0;
    if (c->at == c->end || (*c->at | 0x20) != 'e')
        return 1;
    c->at++;
    int negative = skip_sign(c);
    if (!is_digit(*c))
        return 0;
    for (; is_digit(*c); c->at++)     /* far beyond what any line holds as digits: stop growing */
        if (*value < (int64_t)1 << 50)
            *value = *value * 10 + (*c->at - '0');
    *value = negative ? -*value : *value;
    return 1;
}

/* The magnitude of the decimal number that starts at `digits`, with its point `point` digits behind
 * its first non-zero digit. What is behind the point is rounded, or with `whole` must be zeros. */
static int magnitude(cursor digits, const uint8_t *first, int64_t point, int whole, uint64_t *value)
{
    *value = 0;
    if (point > 19)
        return 0;
    int64_t place = 0;
    for (digits.at = first; digits.at < digits.end; digits.at++) {
        if (*digits.at == '.')
            continue;
        uint64_t digit = (uint64_t)(*digits.at - '0');
        if (place < point)
            *value = *value * 10 + digit;
        else if (whole && digit)
            return 0;
        else if (!whole && place == point)
            *value += digit >= 5;
        else if (!whole && place > point)
            break;
        place++;
    }
    for (; place < point; place++)
        *value *= 10;
    return 1;
}

/* Any decimal number times 10^scale, exactly: [sign] digits [. digits] [e [sign] digits].
 * Returns 0 if there is none, or it does not fit int64. */
static int number(cursor *c, int scale, int64_t *value)
{
    int negative = skip_sign(c);
    cursor digits = *c;
    int64_t before = skip_digits(c);
    int64_t behind = 0;
    if (c->at < c->end && *c->at == '.') {
        c->at++;
        behind = skip_digits(c);
    }
    digits.end = c->at;
    int64_t shift;
    if (before + behind == 0 || !exponent(c, &shift))
        return 0;

    const uint8_t *first = digits.at;
    int64_t zeros = 0;     /* in front of the first other digit */
    for (; first < digits.end && (*first == '0' || *first == '.'); first++)
        zeros += *first == '0';
    uint64_t size = 0;
    if (first < digits.end &&
        !magnitude(digits, first, before - zeros + shift + scale, scale == 0, &size))
        return 0;
    if (size > (uint64_t)INT64_MAX + (uint64_t)negative)
        return 0;
    *value = (int64_t)(negative ? 0 - size : size);
    return 1;
}

/* ---- fields ---------------------------------------------------------------------------------- */

enum { NONE, T, X, Y, P };     /* the role of a column */
enum { MOST_COLUMNS = 64 };

/* What reading a row needs, worked out once. */
typedef struct {
    uint8_t role[MOST_COLUMNS];
    int64_t columns;
    uint8_t separator;
    uint8_t blank;        /* skipped around fields, as space is: tab, unless it separates */
    int seconds;
} rows;

AE_INLINE void skip_blanks(cursor *c, uint8_t blank)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == blank))
        c->at++;
}

/* True where a field may end: the caller then checks what follows. */
AE_INLINE int at_end_of_field(cursor c, const rows *r)
{
    if (c.at == c.end)
        return 1;
    uint8_t byte = *c.at;
    return byte == r->separator || byte == '\n' || byte == '\r' || byte == ' ' || byte == r->blank;
}

/* An integer in [0, 2^63). */
AE_INLINE int whole_number(cursor *c, const rows *r, int64_t *value)
{
    cursor start = *c;
    uint64_t size;
    int count = plain_digits(c, &size);
    *value = (int64_t)size;
    if (count && count < 16 && at_end_of_field(*c, r))
        return 1;
    *c = start;
    return number(c, 0, value);
}

/* Decimal seconds as microseconds. The usual form is up to 12 digits, a point, and a fraction. */
AE_INLINE int time_in_seconds(cursor *c, const rows *r, int64_t *value)
{
    cursor start = *c;
    uint64_t seconds;
    int count = plain_digits(c, &seconds);
    if (count && count < 13 && c->at < c->end && *c->at == '.') {
        c->at++;
        uint64_t word = load8(*c);
        int decimals = leading_digits(word);
        *value = microseconds(seconds, value_of_digits(word, decimals), decimals);
        c->at += decimals;
        if (decimals == 8)
            skip_digits(c);
        if (at_end_of_field(*c, r))
            return 1;
    }
    *c = start;
    return number(c, 6, value);
}

/* The word `text` at the cursor. */
static int word(cursor *c, const char *text, size_t length)
{
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, text, length) != 0)
        return 0;
    c->at += length;
    return 1;
}

static int polarity(cursor *c, const rows *r, int64_t *value)
{
    if (c->end - c->at >= 2 && (*c->at | 1) == '1') {
        *value = *c->at++ - '0';
        if (at_end_of_field(*c, r))
            return 1;
        c->at--;
    }
    if (word(c, "true", 4) || word(c, "True", 4)) {
        *value = 1;
        return 1;
    }
    if (word(c, "false", 5) || word(c, "False", 5)) {
        *value = 0;
        return 1;
    }
    if (!number(c, 0, value) || *value < -1 || *value > 1)
        return 0;
    *value = *value == 1;
    return 1;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static rows rows_of(const ae_text *state)
{
    rows r = {.columns = state->columns < MOST_COLUMNS ? state->columns : MOST_COLUMNS,
              .separator = (uint8_t)state->separator};
    r.blank = r.separator == '\t' ? ' ' : '\t';
    r.seconds = state->seconds != 0;
    const int64_t column[] = {-1, state->t_column, state->x_column, state->y_column,
                              state->p_column};
    for (int role = T; role <= P; role++)
        if (column[role] >= 0 && column[role] < MOST_COLUMNS)
            r.role[column[role]] = (uint8_t)role;
    return r;
}

/* Over the separator in front of a column; a run of blanks has been skipped already. */
AE_INLINE int separator(cursor *c, const rows *r, const uint8_t *end_of_field)
{
    if (r->separator == ' ')
        return c->at > end_of_field;
    if (c->at == c->end || *c->at != r->separator)
        return 0;
    c->at++;
    skip_blanks(c, r->blank);
    return 1;
}

/* A field that is not wanted: up to the separator or the end of the line. It may be empty, and have
 * blanks inside, where blanks do not separate. */
static int ignored(cursor *c, const rows *r)
{
    const uint8_t *start = c->at;
    int blanks_separate = r->separator == ' ';
    while (c->at < c->end && *c->at != r->separator && *c->at != '\n' && *c->at != '\r' &&
           !(blanks_separate && *c->at == r->blank))
        c->at++;
    return !blanks_separate || c->at > start;
}

AE_INLINE int field(cursor *c, const rows *r, uint8_t role, int64_t *values)
{
    switch (role) {
    case T:
        return r->seconds ? time_in_seconds(c, r, &values[T]) : whole_number(c, r, &values[T]);
    case X:
    case Y:
        return whole_number(c, r, &values[role]) && values[role] >= 0 && values[role] <= 65535;
    case P:
        return polarity(c, r, &values[P]);
    default:
        return ignored(c, r);
    }
}

/* One line into `values`, and the cursor after its newline. Returns 0 if it does not parse. */
AE_INLINE int row(cursor *c, const rows *r, int64_t *values)
{
    const uint8_t *end_of_field = c->at;
    for (int64_t column = 0; column < r->columns; column++) {
        if (column && !separator(c, r, end_of_field))
            return 0;
        if (!field(c, r, r->role[column], values))
            return 0;
        end_of_field = c->at;
        skip_blanks(c, r->blank);
    }
    if (c->at < c->end && *c->at == '\r')
        c->at++;
    return c->at < c->end && *c->at++ == '\n';
}

/* The first byte after the line that `at` is in; the last line ends with a newline. */
static const uint8_t *after_line(const uint8_t *at, const uint8_t *end)
{
    return (const uint8_t *)memchr(at, '\n', (size_t)(end - at)) + 1;
}

/* Nothing to read in this line: it is empty, or a comment. */
AE_INLINE int is_idle(cursor c)
{
    if (*c.at == '\r' && c.end - c.at > 1)
        return c.at[1] == '\n';
    return *c.at == '\n' || *c.at == '#' || *c.at == '%';
}

size_t ae_text_decode(const uint8_t *data, size_t length, ae_text *state, ae_columns *out)
{
    while (length && data[length - 1] != '\n')
        length--;
    const rows r = rows_of(state);
    ae_quick quick = ae_quick_of(state, data, length);
    cursor c = {data, data + length};
    while (c.at < c.end && out->n + AE_SLACK <= out->capacity) {
        const uint8_t *start = ae_quick_rows(data, c.at, c.end, &quick, out);
        if (start > c.at) {
            c.at = start;
            continue;
        }
        int64_t values[5] = {0};
        skip_blanks(&c, r.blank);
        if (is_idle(c)) {
            c.at = after_line(c.at, c.end);
        } else if (row(&c, &r, values)) {
            out->t[out->n] = values[T];
            out->x[out->n] = (uint16_t)values[X];
            out->y[out->n] = (uint16_t)values[Y];
            out->p[out->n] = (uint8_t)values[P];
            out->n++;
        } else {
            if (!state->bad_lines++)
                state->first_bad = state->offset + (start - data);
            c.at = after_line(start, c.end);
        }
    }
    state->offset += c.at - data;
    return (size_t)(c.at - data);
}
