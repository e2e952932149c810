/* EVT 3.0, writing. Always in the order TIME_HIGH, TIME_LOW, ADDR_Y, then events: readers drop what
 * comes before the first TIME_HIGH. Vectors are written only as whole groups of four words inside
 * the sensor: the vendor's reader takes four without looking, and drops a group that sticks out. */
#include "clock.h"
#include "kernels.h"

enum { ADDR_Y, ADDR_X = 2, VECT_BASE_X, VECT_12, VECT_8, TIME_LOW, TIME_HIGH = 8 };

/* From so many events on a group (4 words) is shorter than single events. */
enum { WORTH_A_GROUP = 5, GROUP = 32 };

/* The most bytes that one event takes after its last TIME_HIGH: TIME_LOW, ADDR_Y, a group. */
enum { EVENT_BYTES = 12 };

/* TIME_HIGH must fall by half its range for a decoder to count a roll-over. */
#define ROLLS_OVER 2048

/* Writes TIME_HIGH words, and TIME_LOW, until the decoder's clock stands at `t`, as room allows: the
 * last TIME_HIGH only if the whole event has room. Returns the end of what it wrote, or NULL if no
 * words lead there. TIME_LOW follows every new TIME_HIGH: readers differ on what it is until then. */
static uint8_t *write_clock(uint8_t *out, const uint8_t *end, int64_t t, ae_encoder *state)
{
    int64_t goal = t >> 12, now = state->started ? state->time >> 12 : 0;
    int moved = 0;
    while (now != goal || !state->started) {
        int64_t next = ae_next_high(now, goal, 12, ROLLS_OVER);
        if (next < 0)
            return NULL;
        if (end - out < 2 + (next == goal ? EVENT_BYTES : 0))
            return out;
        out = ae_store16(out, TIME_HIGH << 12 | (uint32_t)(next & 0xFFF));
        if (!state->started)
            state->y = -1;
        state->started = 1;
        state->time = next << 12;
        now = next;
        moved = 1;
    }
    if (moved || state->time != t) {
        out = ae_store16(out, TIME_LOW << 12 | (uint32_t)(t & 0xFFF));
        state->time = t;
    }
    return out;
}

/* How many events from `k` on one group can hold, from `base` on: all of one time, row and polarity,
 * x rising. */
static size_t group_length(const ae_columns *in, size_t k, uint32_t base)
{
    size_t j = k + 1;
    while (j < in->n && in->x[j] > in->x[j - 1] && in->x[j] < base + GROUP &&
           in->t[j] == in->t[k] && in->y[j] == in->y[k] && (in->p[j] != 0) == (in->p[k] != 0))
        j++;
    return j - k;
}

/* Writes event `k`, or it and what follows as a group; moves state->next past what it wrote. */
static uint8_t *write_events(uint8_t *out, const ae_columns *in, size_t k, ae_encoder *state)
{
    uint32_t x = in->x[k], base = x & ~(uint32_t)(GROUP - 1), on = (uint32_t)(in->p[k] != 0) << 11;
    size_t length = 1;
    if (state->width >= GROUP) {
        if (base > state->width - GROUP)
            base = (uint32_t)(state->width - GROUP);
        if (x < base + GROUP)
            length = group_length(in, k, base);
    }
    if (length < WORTH_A_GROUP) {
        state->next = (int64_t)k + 1;
        return ae_store16(out, ADDR_X << 12 | on | x);
    }
    uint32_t mask = 0;
    for (size_t j = 0; j < length; j++)
        mask |= (uint32_t)1 << (in->x[k + j] - base);
    state->next = (int64_t)(k + length);
    out = ae_store16(out, VECT_BASE_X << 12 | on | base);
    out = ae_store16(out, VECT_12 << 12 | (mask & 0xFFF));
    out = ae_store16(out, VECT_12 << 12 | (mask >> 12 & 0xFFF));
    return ae_store16(out, VECT_8 << 12 | mask >> 24);
}

/* Whether `k` may begin a group: the last of as few events as are worth one has the same time, row
 * and polarity, and is to the right of it. */
AE_INLINE int may_group(const ae_columns *in, size_t k)
{
    const size_t last = k + WORTH_A_GROUP - 1;
    return (in->t[last] == in->t[k]) & (in->y[last] == in->y[k]) & (in->x[last] > in->x[k]) &
           (in->x[last] < in->x[k] + GROUP) & (!in->p[last] == !in->p[k]);
}

/* Writes the events that need no TIME_HIGH and that no group begins with, which are most, without a
 * branch on time or row. Returns the end of what it wrote. */
AE_INLINE uint8_t *write_singles(uint8_t *out, const uint8_t *end, const ae_columns *columns,
                                 ae_encoder *state)
{
    const ae_columns in = *columns;
    int64_t time = state->time;
    size_t k = (size_t)state->next;
    uint32_t row = (uint32_t)state->y;
    for (; k + WORTH_A_GROUP <= in.n && end - out >= EVENT_BYTES; k++) {
        uint32_t x = in.x[k], y = in.y[k];
        if ((in.t[k] ^ time) >> 12 || (x | y) > 0x7FF || may_group(&in, k))
            break;
        ae_store16(out, TIME_LOW << 12 | (uint32_t)(in.t[k] & 0xFFF));
        out += 2 * (in.t[k] != time);
        ae_store16(out, ADDR_Y << 12 | y);
        out += 2 * (y != row);
        out = ae_store16(out, ADDR_X << 12 | (uint32_t)(in.p[k] != 0) << 11 | x);
        row = y;
        time = in.t[k];
    }
    state->y = row;
    state->time = time;
    state->next = (int64_t)k;
    return out;
}

size_t ae_evt3_encode(const ae_columns *in, ae_encoder *state, uint8_t *out, size_t capacity)
{
    uint8_t *cursor = out;
    const uint8_t *end = out + capacity;
    state->refused = 0;
    while ((size_t)state->next < in->n && end - cursor >= EVENT_BYTES) {
        size_t k = (size_t)state->next;
        int64_t t = in->t[k];
        uint8_t *timed = NULL;
        if (t >= 0 && in->x[k] <= 0x7FF && in->y[k] <= 0x7FF)
            timed = write_clock(cursor, end, t, state);
        state->refused = timed == NULL;
        if (state->refused)
            break;
        cursor = timed;
        if (!state->started || state->time != t)
            break;                          /* no room; the clock goes on from state->time */
        if (in->y[k] != state->y) {
            cursor = ae_store16(cursor, ADDR_Y << 12 | in->y[k]);
            state->y = in->y[k];
        }
        cursor = write_events(cursor, in, k, state);
        cursor = write_singles(cursor, end, in, state);
    }
    return (size_t)(cursor - out);
}
