/* Packets of AEDAT4: i32 stream, i32 size, then so many bytes, a FlatBuffer, which may be packed. */
#ifndef AEVENTS_AEDAT4_H
#define AEVENTS_AEDAT4_H
#include <stdint.h>

/* What stands between the prefix and the count of a FlatBuffer that is nothing but events. */
static const uint8_t ae_before_events[24] = {16, 0, 0, 0, 'E', 'V', 'T', 'S', 0, 0, 6, 0,
                                             8, 0, 4, 0, 6, 0, 0, 0, 4, 0, 0, 0};

enum {
    AE_PACKET = 8,                                  /* bytes before the FlatBuffer */
    AE_EVENTS = 4 + sizeof ae_before_events + 4,    /* where its events begin, 16 bytes each */
};

#endif
