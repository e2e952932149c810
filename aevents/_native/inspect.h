/* Looking at events while they are in the cache: for follow.c. */
#ifndef AEVENTS_INSPECT_H
#define AEVENTS_INSPECT_H
#include "kernels.h"

/* As ae_inspect, but adds to what is "in this call". */
void ae_inspect_more(const int64_t *t, const uint16_t *x, const uint16_t *y, size_t n,
                     ae_inspection *state);

#endif
