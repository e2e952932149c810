/* EVT 3.0 without its events: where a reader stands behind some words. For indexes of long files:
 * hardly a word in a hundred is looked at by itself. Layout: evt3.c. */
#include <string.h>

#include "cpu.h"
#include "kernels.h"

enum { ADDR_Y, EM_ADDR_Y, VECT_BASE_X = 3, VECT_12, VECT_8, TIME_LOW, TIME_HIGH = 8 };

#define CLOCK_RANGE ((int64_t)1 << 24)     /* us: 16.8 s */
#define HALF_HIGH 2048                     /* half the range, in units of TIME_HIGH */
#define BLOCK 64                           /* words that are looked at as one */

AE_INLINE uint32_t word_at(const uint8_t *data, size_t i)
{
    return ae_load16(data + 2 * i);
}

AE_INLINE uint32_t type_at(const uint8_t *data, size_t i)
{
    return word_at(data, i) >> 12;
}

AE_INLINE void load_block(uint16_t *block, const uint8_t *data)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(block, data, 2 * BLOCK);
#else
    for (size_t i = 0; i < BLOCK; i++)
        block[i] = (uint16_t)word_at(data, i);
#endif
}

/* Counts the TIME_HIGH words of a block, and says whether one of them is not `same`. */
AE_INLINE int has_new_high(const uint8_t *data, uint16_t same, size_t *highs)
{
    uint16_t block[BLOCK], count = 0, equal = 0;
    load_block(block, data);
    for (size_t i = 0; i < BLOCK; i++)
        count += (uint16_t)((uint16_t)(block[i] & 0xF000) == TIME_HIGH << 12);
    for (size_t i = 0; i < BLOCK; i++)
        equal += (uint16_t)(block[i] == same);
    *highs += count;
    return count != equal;
}

/* Whether a word of a block is of this type, in the bits of `mask`. */
AE_INLINE int holds(const uint8_t *data, uint16_t mask, uint16_t type)
{
    uint16_t block[BLOCK], count = 0;
    load_block(block, data);
    for (size_t i = 0; i < BLOCK; i++)
        count += (uint16_t)((uint16_t)(block[i] & mask << 12) == type << 12);
    return count;
}

/* Returns the word after the last one of this type, 0 if there is none. */
AE_INLINE size_t after_last(const uint8_t *data, size_t words, uint16_t mask, uint16_t type)
{
    for (size_t i = words; i > 0;) {
        size_t end = i > BLOCK ? i - BLOCK : 0;
        if (i >= BLOCK && !holds(data + 2 * end, mask, type)) {
            i = end;
            continue;
        }
        for (; i > end; i--)
            if ((type_at(data, i - 1) & mask) == type)
                return i;
    }
    return 0;
}

static void take_latest(const ae_evt3 *state, int64_t *latest)
{
    int64_t last = state->loop + (state->high << 12) + 4095;
    *latest = last > *latest ? last : *latest;
}

/* Follows the clock; returns the word after the last TIME_HIGH with a new value, or 0. */
static size_t follow_clock(const uint8_t *data, size_t words, ae_evt3 *state, size_t *highs,
                           int64_t *latest)
{
    size_t changed = 0;
    for (size_t i = 0; i < words;) {
        uint16_t same = (uint16_t)(TIME_HIGH << 12 | state->high);
        size_t before = *highs, end = i + BLOCK;
        if (end <= words && !has_new_high(data + 2 * i, same, highs)) {
            i = end;
            continue;
        }
        *highs = before;
        for (end = end < words ? end : words; i < end; i++) {
            int64_t high = word_at(data, i) & 0xFFF;
            if (type_at(data, i) != TIME_HIGH)
                continue;
            (*highs)++;
            if (high == state->high)
                continue;
            state->loop += state->high >= high + HALF_HIGH ? CLOCK_RANGE : 0;
            state->high = high;
            changed = i + 1;
            take_latest(state, latest);
        }
    }
    return changed;
}

/* Leaves in `state` the last row: that of events, and whether it is one of no events. */
static void last_row(const uint8_t *data, size_t words, ae_evt3 *state)
{
    size_t row = after_last(data, words, 0xF, ADDR_Y);
    if (row) {
        state->foreign = 0;
        state->y = word_at(data, row - 1) & 0x7FF;
    }
    if (after_last(data + 2 * row, words - row, 0xF, EM_ADDR_Y))
        state->foreign = 1;
}

static void last_base(const uint8_t *data, size_t words, ae_evt3 *state)
{
    size_t i = after_last(data, words, 0xF, VECT_BASE_X);
    if (i) {
        state->base_x = word_at(data, i - 1) & 0x7FF;
        state->base_p = word_at(data, i - 1) >> 11 & 1;
    } else if (!after_last(data, words, 0xE, VECT_12)) {
        return;
    }
    for (; i < words; i++) {
        uint32_t type = type_at(data, i);
        state->base_x += type == VECT_12 ? 12 : type == VECT_8 ? 8 : 0;
    }
    state->base_x &= 0xFFFF;
}

size_t ae_evt3_skip(const uint8_t *data, size_t words, ae_evt3 *state, int64_t *latest)
{
    size_t begin = 0, highs = 0;
    last_row(data, words, state);
    if (!words)
        return 0;
    if (!state->started) {
        while (begin < words && type_at(data, begin) != TIME_HIGH)
            begin++;
        if (begin == words)
            return 0;
        state->started = 1;
        state->high = word_at(data, begin) & 0xFFF;
    }
    data += 2 * begin;
    words -= begin;
    take_latest(state, latest);
    size_t changed = follow_clock(data, words, state, &highs, latest);
    size_t i = after_last(data, words, 0xF, TIME_LOW);
    if (i > changed)
        state->low = word_at(data, i - 1) & 0xFFF;
    else if (changed)
        state->low = 0;
    last_base(data, words, state);
    return highs;
}
