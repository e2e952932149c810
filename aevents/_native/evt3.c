/* EVT 3.0: 16-bit little-endian words with a memory, the type in bits 15-12. Reading; evt3_write.c
 * writes. Layout: docs/formats, "EVT3".
 *
 *   0x0 ADDR_Y         10-0 y, for what follows       0x6 TIME_LOW     11-0 bits 11-0 of t
 *   0x1 EM_ADDR_Y      a row of no events             0x8 TIME_HIGH    11-0 bits 23-12 of t
 *   0x2 ADDR_X         11 p, 10-0 x: one event        0xA EXT_TRIGGER  11-8 id, 0 value
 *   0x3 VECT_BASE_X    11 p, 10-0 x                   0x7 CONTINUED_4, 0xD IMU, 0xE OTHERS,
 *   0x4 VECT_12        bit i: an event at x + i;        0xF CONTINUED_12   skipped
 *                      then x += 12                   0x9, 0xB, 0xC    reserved
 *   0x5 VECT_8         the same, 8 bits
 *
 * Cameras write vectors as VECT_BASE_X, VECT_12, VECT_12, VECT_8 ("group" below: 32 pixels). */
#include <string.h>

#include "cpu.h"
#include "dispatch.h"
#include "kernels.h"

enum {
    ADDR_Y, EM_ADDR_Y, ADDR_X, VECT_BASE_X, VECT_12, VECT_8, TIME_LOW, CONTINUED_4, TIME_HIGH,
    EXT_TRIGGER = 10, IMU = 13
};

#define CLOCK_RANGE ((int64_t)1 << 24)     /* us: 16.8 s */
#define HALF_HIGH 2048                     /* half the range, in units of TIME_HIGH */

/* The set of types that streams are mostly made of. */
#define PLAIN (1u << ADDR_Y | 1u << ADDR_X | 1u << TIME_LOW)

/* For each byte: the positions of its bits, their number; and two byte shuffles of eight 16-bit
 * lanes: `compress` moves the lanes of set bits to the front, `fill` copies to each lane the last
 * one with a set bit at or below it (0x80, which gives 0, where there is none). */
static struct {
    uint16_t positions[256][8];
    uint8_t compress[256][16];
    uint8_t fill[256][16];
    uint8_t counts[256];
} table;

static void make_table(void)
{
    for (int byte = 0; byte < 256; byte++) {
        int count = 0, last = -1;
        memset(table.compress[byte], 0x80, 16);
        memset(table.fill[byte], 0x80, 16);
        for (int lane = 0; lane < 8; lane++) {
            if (byte >> lane & 1) {
                table.positions[byte][count] = (uint16_t)lane;
                table.compress[byte][2 * count] = (uint8_t)(2 * lane);
                table.compress[byte][2 * count + 1] = (uint8_t)(2 * lane + 1);
                count++;
                last = lane;
            }
            if (last >= 0) {
                table.fill[byte][2 * lane] = (uint8_t)(2 * last);
                table.fill[byte][2 * lane + 1] = (uint8_t)(2 * last + 1);
            }
        }
        table.counts[byte] = (uint8_t)count;
    }
}

AE_INLINE int64_t high_time(const ae_evt3 *state)
{
    return state->loop + (state->high << 12);
}

AE_INLINE uint32_t word_at(const uint8_t *data, size_t i)
{
    return ae_load16(data + 2 * i);
}

/* ---- one word at a time: the exact meaning of every word -------------------------------------- */

/* Cameras repeat TIME_HIGH: only a new value puts TIME_LOW back to 0. */
static void time_high(int64_t high, ae_evt3 *state)
{
    state->started = 1;
    if (state->high == high)
        return;
    if (state->high >= high + HALF_HIGH)
        state->loop += CLOCK_RANGE;
    state->high = high;
    state->low = 0;
}

/* Writes the events of a vector word, or of a group of them: bit i of `mask` is one at x + i. May
 * scribble on 32 slots; returns the new count. */
typedef size_t vector_function(uint32_t mask, uint32_t x, int64_t t, uint32_t row, uint32_t on,
                               const ae_columns *at, size_t n);

AE_INLINE size_t vector_base(uint32_t mask, uint32_t x, int64_t t, uint32_t row, uint32_t on,
                             const ae_columns *at, size_t n)
{
    size_t start = n;
    for (; mask; mask >>= 8, x += 8) {
        const uint16_t *positions = table.positions[mask & 255];
        for (int j = 0; j < 8; j++)
            at->x[n + j] = (uint16_t)(x + positions[j]);
        n += table.counts[mask & 255];
    }
    for (size_t k = start; k < n; k += 8) {
        for (int j = 0; j < 8; j++)
            at->t[k + j] = t;
        for (int j = 0; j < 8; j++)
            at->y[k + j] = (uint16_t)row;
        memset(at->p + k, (int)on, 8);
    }
    return n;
}

static void event_word(uint32_t word, ae_evt3 *state, ae_columns *out)
{
    int timed = state->started && !state->foreign;
    uint32_t type = word >> 12, mask = word & (type == VECT_12 ? 0xFFF : 0xFF);
    if (type == ADDR_X && timed) {
        out->t[out->n] = high_time(state) + state->low;
        out->x[out->n] = word & 0x7FF;
        out->y[out->n] = (uint16_t)state->y;
        out->p[out->n] = word >> 11 & 1;
        out->n++;
    } else if (timed) {
        out->n = vector_base(mask, (uint32_t)state->base_x, high_time(state) + state->low,
                             (uint32_t)state->y, (uint32_t)state->base_p, out, out->n);
    } else if (!state->started) {
        state->untimed += type == ADDR_X ? 1 : table.counts[mask & 255] + table.counts[mask >> 8];
    }
    if (type != ADDR_X && state->started)
        state->base_x = (state->base_x + (type == VECT_12 ? 12 : 8)) & 0xFFFF;
}

static int trigger_word(uint32_t word, ae_evt3 *state, ae_columns *out)
{
    if (!state->started) {
        state->untimed++;
        return 1;
    }
    if (out->triggers >= out->trigger_capacity)
        return 0;
    out->trigger_t[out->triggers] = high_time(state) + state->low;
    out->trigger_id[out->triggers] = word >> 8 & 15;
    out->trigger_value[out->triggers] = word & 1;
    out->triggers++;
    return 1;
}

/* Decodes one word. Returns 0 if it is a trigger that has no room. Before the first TIME_HIGH
 * nothing is kept but the row: some writers put it first. */
static int any_word(uint32_t word, ae_evt3 *state, ae_columns *out)
{
    uint32_t type = word >> 12;
    switch (type) {
    case ADDR_X: case VECT_12: case VECT_8:
        event_word(word, state, out);
        return 1;
    case EXT_TRIGGER:
        return trigger_word(word, state, out);
    case TIME_HIGH:
        time_high(word & 0xFFF, state);
        return 1;
    case 0x9: case 0xB: case 0xC:
        state->unknown++;
        return 1;
    }
    if (type <= EM_ADDR_Y) {
        state->foreign = type == EM_ADDR_Y;
        state->y = type == ADDR_Y ? word & 0x7FF : state->y;
    } else if (!state->started) {
        return 1;
    } else if (type == VECT_BASE_X) {
        state->base_x = word & 0x7FF;
        state->base_p = word >> 11 & 1;
    } else if (type == TIME_LOW) {
        state->low = word & 0xFFF;
    }
    return 1;
}

/* ---- the fast decoders ------------------------------------------------------------------------ */

/* Decodes rows, single events, times and groups from word `i` on, until another word comes or room
 * ends; returns the word it stopped at. The clock has started and the row is of events. */
typedef size_t plain_function(const uint8_t *data, size_t i, size_t words, size_t limit,
                              ae_evt3 *state, ae_columns *out);

/* Whether the four words at `i` are a group: types 3, 4, 4, 5. */
AE_INLINE int is_group(const uint8_t *data, size_t i)
{
    uint32_t first = ae_load32(data + 2 * i), second = ae_load32(data + 2 * i + 4);
    return (((first ^ 0x40003000) | (second ^ 0x50004000)) & 0xF000F000) == 0;
}

AE_INLINE uint32_t group_mask(const uint8_t *data, size_t i)
{
    return (word_at(data, i + 1) & 0xFFF) | (word_at(data, i + 2) & 0xFFF) << 12 |
           word_at(data, i + 3) << 24;
}

/* Decodes vector words and groups from word `i` on, until another word comes or room ends. */
AE_INLINE size_t vectors(vector_function *vector, const uint8_t *data, size_t i, size_t words,
                         size_t limit, int64_t t, uint32_t row, ae_evt3 *state, ae_columns *at)
{
    while (i + 4 <= words && at->n + 32 <= limit) {
        uint32_t word = word_at(data, i), type = word >> 12, on = (uint32_t)state->base_p;
        if (is_group(data, i)) {
            at->n = vector(group_mask(data, i), word & 0x7FF, t, row, word >> 11 & 1, at, at->n);
            state->base_x = (word & 0x7FF) + 32;
            state->base_p = word >> 11 & 1;
            i += 4;
        } else if (type == VECT_BASE_X) {
            state->base_x = word & 0x7FF;
            state->base_p = word >> 11 & 1;
            i++;
        } else if (type == VECT_12 || type == VECT_8) {
            uint32_t mask = word & (type == VECT_12 ? 0xFFF : 0xFF);
            at->n = vector(mask, (uint32_t)state->base_x, t, row, on, at, at->n);
            state->base_x = (state->base_x + (type == VECT_12 ? 12 : 8)) & 0xFFFF;
            i++;
        } else {
            break;
        }
    }
    return i;
}

/* Without branches on what the usual words are: each is written as if it were an event, and the
 * next one overwrites it if it was not. */
AE_INLINE size_t plain_base(const uint8_t *data, size_t i, size_t words, size_t limit,
                            ae_evt3 *state, ae_columns *out)
{
    const uint32_t same = TIME_HIGH << 12 | (uint32_t)state->high;
    const int64_t high = high_time(state);
    ae_columns at = *out;                   /* a copy that stores to the columns cannot change */
    uint32_t row = (uint32_t)state->y, low = (uint32_t)state->low;
    size_t n = out->n;
    for (; i < words && n <= limit; i++) {
        uint32_t word = word_at(data, i), type = word >> 12;
        if (!(PLAIN >> type & 1)) {
            if (word == same)
                continue;
            size_t before = i;
            at.n = n;
            i = vectors(vector_base, data, i, words, limit, high + low, row, state, &at);
            n = at.n;
            if (i == before)
                break;
            i--;
            continue;
        }
        at.t[n] = high + low;
        at.x[n] = word & 0x7FF;
        at.y[n] = (uint16_t)row;
        at.p[n] = word >> 11 & 1;
        n += type == ADDR_X;
        row ^= (row ^ (word & 0x7FF)) & -(uint32_t)(type == ADDR_Y);
        low ^= (low ^ (word & 0xFFF)) & -(uint32_t)(type == TIME_LOW);
    }
    out->n = n;
    state->y = row;
    state->low = low;
    return i;
}

/* `plain` decodes what is usual; the inner loop what stopped it, until it may go on. */
AE_INLINE size_t decode_with(plain_function *plain, const uint8_t *data, size_t words,
                             ae_evt3 *state, ae_columns *out)
{
    if (out->capacity < AE_SLACK)
        return 0;
    size_t i = 0, limit = out->capacity - AE_SLACK;
    while (i < words && out->n <= limit) {
        if (state->started && !state->foreign) {
            i = plain(data, i, words, limit, state, out);
            if (i == words || out->n > limit)
                break;
        }
        do {
            if (!any_word(word_at(data, i), state, out))
                return i;
            i++;
        } while (i < words && out->n <= limit &&
                 !(PLAIN >> (word_at(data, i) >> 12) & 1 || (i + 4 <= words && is_group(data, i))));
    }
    return i;
}

static size_t decode_base(const uint8_t *data, size_t words, ae_evt3 *state, ae_columns *out)
{
    return decode_with(plain_base, data, words, state, out);
}

#if AE_X86

#include "evt3_v3.h"
#include "evt3_v4.h"
#endif

/* Before any selection the table is empty: make it first. */
static size_t decode_first(const uint8_t *data, size_t words, ae_evt3 *state, ae_columns *out)
{
    ae_evt3_select(1);
    return decode_base(data, words, state, out);
}

static size_t (*decode)(const uint8_t *, size_t, ae_evt3 *, ae_columns *) = decode_first;

void ae_evt3_select(int level)
{
    make_table();
    decode = decode_base;
#if AE_X86
    if (level >= 3)
        decode = level >= 4 ? decode_v4 : decode_v3;
#else
    (void)level;
#endif
}

size_t ae_evt3_decode(const uint8_t *data, size_t words, ae_evt3 *state, ae_columns *out)
{
    return decode(data, words, state, out);
}
