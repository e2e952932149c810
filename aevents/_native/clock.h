/* The clock that EVT2 and EVT3 share. Reading: which times are believed. Writing: which TIME_HIGH
 * words move a decoder to a time. */
#ifndef AEVENTS_CLOCK_H
#define AEVENTS_CLOCK_H
#include "cpu.h"

/* A time is TIME_HIGH and `bits` low bits. Damage shows as a step back by half of what these count,
 * or more: a TIME_HIGH is believed if there is no such step before it and behind it, and no leap
 * forward by more than this. Cameras repeat TIME_HIGH, so what is near needs no look ahead. */
#define AE_LEAP ((int64_t)1 << 20)         /* us: about a second */

/* So many words are looked at for the next TIME_HIGH. */
#define AE_LOOK 32768

/* What words are to the clock. */
enum { AE_PLAIN, AE_TIMED, AE_VECTOR, AE_HIGH, AE_RESERVED };

/* Returns the step from one time to another, by a clock that rolls over at 2^range. */
AE_INLINE int64_t ae_step(int64_t from, int64_t to, int range)
{
    int64_t half = (int64_t)1 << (range - 1);
    return ((to - from + half) & (2 * half - 1)) - half;
}

AE_INLINE int ae_joins(int64_t from, int64_t to, int bits, int range, int64_t most)
{
    int64_t step = ae_step(from, to, range);
    return step >= -((int64_t)1 << (bits - 1)) && step <= most;
}

/* More roll-overs than this between two events are refused: two words each would be written. */
#define AE_MOST_LOOPS 4096

/* Returns the next time, in units of TIME_HIGH and with the roll-overs above its `bits`, on the way
 * of a decoder's clock from `now` to `goal`; -1 if no words lead there. A decoder counts a roll-over
 * when TIME_HIGH falls by `fall` or more, so a leap past a roll-over goes by way of the top and 0. */
AE_INLINE int64_t ae_next_high(int64_t now, int64_t goal, int bits, int64_t fall)
{
    int64_t top = ((int64_t)1 << bits) - 1;
    int64_t loops = (goal >> bits) - (now >> bits);
    int64_t drop = (now & top) - (goal & top);
    if (loops == 0)
        return drop < fall ? goal : -1;
    if (loops < 0 || loops > AE_MOST_LOOPS)
        return -1;
    if (loops == 1 && drop >= fall)
        return goal;
    if ((now & top) < fall)
        return now | top;
    return ((now >> bits) + 1) << bits;
}

#endif
