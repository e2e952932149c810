/* Where an event is in a table of pixels. */
#ifndef AEVENTS_GRID_H
#define AEVENTS_GRID_H
#include "cpu.h"

#include <stddef.h>

#define AE_PREFETCH(address) __builtin_prefetch((address), 1, 3)

/* What the index pass needs to know. Indices are 32 bits wide: see ae_grid_of. */
typedef struct {
    uint32_t width;
    uint32_t height;
    uint32_t on;              /* distance from a cell of OFF to that of ON; 0 with one plane */
    uint32_t extra;           /* the last slot, for events off the sensor */
} ae_grid;

/* False when the frame is empty or its indices would not fit 31 bits. */
AE_INLINE int ae_grid_of(ae_grid *frame, uint32_t width, uint32_t height, uint32_t planes)
{
    if (width - 1 > 65534 || height - 1 > 65534 || planes - 1 > 1)
        return 0;
    uint64_t plane = (uint64_t)width * height;
    if (plane * planes >= (uint64_t)1 << 31)
        return 0;
    *frame = (ae_grid){width, height, planes == 2 ? (uint32_t)plane : 0, (uint32_t)(plane * planes)};
    return 1;
}

/* Fill `index` for n events, in their order; return how many are off the sensor. */
AE_INLINE size_t ae_index(uint32_t *index, const uint16_t *x, const uint16_t *y, const uint8_t *p,
                          size_t n, const ae_grid *frame)
{
    const ae_grid f = *frame;
    size_t off_sensor = 0;
    for (size_t k = 0; k < n; k++) {
        int outside = (x[k] >= f.width) | (y[k] >= f.height);
        uint32_t inside = y[k] * f.width + x[k] + (p[k] ? f.on : 0);
        index[k] = outside ? f.extra : inside;
        off_sensor += (size_t)outside;
    }
    return off_sensor;
}

#endif
