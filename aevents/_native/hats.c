/* Histograms of averaged time surfaces: each event's view of those before it in its cell. */
#include "cpu.h"
#include "fading.h"
#include "kernels.h"

#include <stdlib.h>

void ae_hats(float *sums, size_t cells, const uint32_t *cell, const int64_t *t, const uint16_t *x,
             const uint16_t *y, size_t n, const ae_hats_view *view)
{
    int32_t radius = (int32_t)view->radius, side = 2 * radius + 1;
    uint64_t within = (uint64_t)view->within;
    for (size_t i = 0; i < n; i++) {
        if (cell[i] >= cells)
            continue;
        size_t oldest = i > view->memory ? i - view->memory : 0;
        float *surface = sums + (size_t)cell[i] * (size_t)(side * side);
        for (size_t j = i; j-- > oldest && cell[j] == cell[i];) {
            uint64_t age = (uint64_t)t[i] - (uint64_t)t[j];
            if (age > within)
                break;
            int32_t dx = x[j] - x[i], dy = y[j] - y[i];
            if (age && abs(dx) <= radius && abs(dy) <= radius)
                surface[(dy + radius) * side + dx + radius] +=
                    ae_exp_minus((float)(int64_t)age * view->rate);
        }
    }
}
