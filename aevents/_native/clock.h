/* The clock that EVT2 and EVT3 writers share: which TIME_HIGH words move a decoder to a time. */
#ifndef AEVENTS_CLOCK_H
#define AEVENTS_CLOCK_H
#include "cpu.h"

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
