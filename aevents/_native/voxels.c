/* A voxel grid: each event shared between the two bins of time that it lies between. */
#include "cpu.h"
#include "grid.h"
#include "kernels.h"

#define BLOCK 64

size_t ae_voxels(float *grid, const int64_t *t, const uint16_t *x, const uint16_t *y,
                 const uint8_t *p, size_t n, uint32_t width, uint32_t height, uint32_t bins,
                 int64_t first, double bins_a_us)
{
    ae_grid frame;
    if (bins - 1 >= INT32_MAX || !ae_grid_of(&frame, width, height, 1))
        return n;
    size_t off_sensor = 0, plane = frame.extra;
    double last = bins - 1;
    uint32_t index[BLOCK];
    size_t cell[BLOCK];
    float early[BLOCK], late[BLOCK];
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t here = n - at < BLOCK ? n - at : BLOCK;
        off_sensor += ae_index(index, x + at, y + at, p + at, here, &frame);
        for (size_t k = 0; k < here; k++) {
            double place = (double)(int64_t)((uint64_t)t[at + k] - (uint64_t)first) * bins_a_us;
            place = place > 0 ? place : 0;
            place = place < last ? place : last;
            int32_t bin = (int32_t)place;
            float weight = p[at + k] ? 1.0f : -1.0f, share = (float)(place - bin);
            early[k] = weight * (1.0f - share);
            late[k] = weight * share;
            cell[k] = index[k] + plane * (size_t)bin;
            AE_PREFETCH(grid + cell[k]);
            AE_PREFETCH(grid + cell[k] + plane);
        }
        for (size_t k = 0; k < here; k++) {
            if (index[k] == plane)
                continue;
            grid[cell[k]] += early[k];
            if (late[k] != 0)
                grid[cell[k] + plane] += late[k];
        }
    }
    return off_sensor;
}
