/* A voxel grid: each event shared between the two bins of time that it lies between.
 *
 * Adding waits for memory, as counting does (accumulate.c): cells of the next block are prefetched
 * while those of this one are added to. */
#include "cpu.h"
#include "dispatch.h"
#include "grid.h"
#include "kernels.h"

#define BLOCK 64

typedef struct {
    uint32_t width, height, plane, extra;   /* extra: a cell for events off the sensor */
    int64_t first;
    double bins_a_us, last;
} voxel_grid;

/* Where the events of a block go, and how much of each. */
typedef struct {
    uint32_t cell[BLOCK];
    float early[BLOCK], late[BLOCK];
} shares;

/* The two halves of a time become doubles one by one, as most instruction sets have no vectors of
 * int64 to double; only their sum is rounded. */
AE_INLINE double since(int64_t t, int64_t first)
{
    int64_t age = (int64_t)((uint64_t)t - (uint64_t)first);
    double low = (double)(int32_t)((uint32_t)age ^ 0x80000000) + 0x1p31;
    return (double)(int32_t)(age >> 32) * 0x1p32 + low;
}

AE_INLINE size_t share_out(shares *to, const int64_t *restrict t, const uint16_t *restrict x,
                           const uint16_t *restrict y, const uint8_t *restrict p, size_t n,
                           const voxel_grid *grid)
{
    const voxel_grid g = *grid;
    uint32_t off_sensor = 0;
    for (size_t k = 0; k < n; k++) {
        double place = since(t[k], g.first) * g.bins_a_us;
        place = place > 0 ? place : 0;
        place = place < g.last ? place : g.last;
        int32_t bin = (int32_t)place;
        float weight = p[k] ? 1.0f : -1.0f, share = (float)(place - bin);
        uint32_t outside = (x[k] >= g.width) | (y[k] >= g.height);
        uint32_t inside = g.plane * (uint32_t)bin + y[k] * g.width + x[k];
        to->cell[k] = outside ? g.extra : inside;
        to->early[k] = weight * (1.0f - share);
        to->late[k] = weight * share;
        off_sensor += outside;
    }
    return off_sensor;
}

AE_INLINE void add(float *cells, const shares *block, size_t n, const voxel_grid *grid)
{
    for (size_t k = 0; k < n; k++) {
        float *cell = cells + block->cell[k];
        if (block->cell[k] == grid->extra)
            continue;
        *cell += block->early[k];
        if (block->late[k] != 0)
            cell[grid->plane] += block->late[k];
    }
}

AE_INLINE size_t voxels(float *cells, const int64_t *t, const uint16_t *x, const uint16_t *y,
                        const uint8_t *p, size_t n, const voxel_grid *grid)
{
    shares blocks[2];
    size_t here = n < BLOCK ? n : BLOCK;
    size_t off_sensor = share_out(blocks, t, x, y, p, here, grid);
    for (size_t at = 0, turn = 0; at < n; turn ^= 1) {
        size_t rest = n - at - here, ahead = rest < BLOCK ? rest : BLOCK, from = at + here;
        shares *next = blocks + (turn ^ 1);
        off_sensor += share_out(next, t + from, x + from, y + from, p + from, ahead, grid);
        for (size_t k = 0; k < ahead; k++) {
            AE_PREFETCH(cells + next->cell[k]);
            AE_PREFETCH(cells + next->cell[k] + grid->plane);
        }
        add(cells, blocks + turn, here, grid);
        at = from;
        here = ahead;
    }
    return off_sensor;
}

typedef size_t voxels_pass(float *, const int64_t *, const uint16_t *, const uint16_t *,
                           const uint8_t *, size_t, const voxel_grid *);

static size_t voxels_base(float *cells, const int64_t *t, const uint16_t *x, const uint16_t *y,
                          const uint8_t *p, size_t n, const voxel_grid *grid)
{
    return voxels(cells, t, x, y, p, n, grid);
}

static voxels_pass *voxels_chosen = voxels_base;

#if AE_X86

AE_V3 static size_t voxels_v3(float *cells, const int64_t *t, const uint16_t *x,
                              const uint16_t *y, const uint8_t *p, size_t n,
                              const voxel_grid *grid)
{
    return voxels(cells, t, x, y, p, n, grid);
}

AE_V4 static size_t voxels_v4(float *cells, const int64_t *t, const uint16_t *x,
                              const uint16_t *y, const uint8_t *p, size_t n,
                              const voxel_grid *grid)
{
    return voxels(cells, t, x, y, p, n, grid);
}

void ae_voxels_select(int level)
{
    voxels_chosen = level >= 4 ? voxels_v4 : level == 3 ? voxels_v3 : voxels_base;
}

#else

void ae_voxels_select(int level)
{
    (void)level;
}

#endif

size_t ae_voxels(float *grid, const int64_t *t, const uint16_t *x, const uint16_t *y,
                 const uint8_t *p, size_t n, uint32_t width, uint32_t height, uint32_t bins,
                 int64_t first, double bins_a_us)
{
    ae_grid frame;
    if (!bins || !ae_grid_of(&frame, width, height, 1) ||
        (uint64_t)frame.extra * bins >= (uint64_t)1 << 32)
        return n;
    voxel_grid of = {width, height, frame.extra, frame.extra * bins, first, bins_a_us, bins - 1};
    return voxels_chosen(grid, t, x, y, p, n, &of);
}
