/* What the events of a pixel and polarity leave behind: when the last were, and how that fades.
 *
 * Writing waits for memory, as counting does (accumulate.c): cells of the next block are prefetched
 * while those of this one are written. Fading is done at read-out, never an event. */
#include "cpu.h"
#include "dispatch.h"
#include "fading.h"
#include "grid.h"
#include "kernels.h"

#define BLOCK 64

typedef size_t index_pass(uint32_t *index, const uint16_t *x, const uint16_t *y, const uint8_t *p,
                          size_t n, const ae_grid *frame);

static size_t index_base(uint32_t *index, const uint16_t *x, const uint16_t *y, const uint8_t *p,
                         size_t n, const ae_grid *frame)
{
    return ae_index(index, x, y, p, n, frame);
}

static index_pass *index_chosen = index_base;

/* WRITE(cell, k) for each event k of the block, `stride` values a cell. */
#define WALK(table, stride, WRITE)                                                                 \
    ae_grid frame;                                                                                 \
    if (!ae_grid_of(&frame, width, height, 2))                                                     \
        return n;                                                                                  \
    uint32_t index[2][BLOCK];                                                                      \
    size_t ahead = n < BLOCK ? n : BLOCK;                                                          \
    size_t off_sensor = index_chosen(index[0], x, y, p, ahead, &frame);                            \
    for (size_t at = 0, turn = 0; at < n; turn ^= 1) {                                             \
        size_t here = ahead;                                                                       \
        const uint32_t *now = index[turn], *next = index[turn ^ 1];                                \
        size_t rest = n - at - here;                                                               \
        ahead = rest < BLOCK ? rest : BLOCK;                                                       \
        off_sensor += index_chosen(index[turn ^ 1], x + at + here, y + at + here, p + at + here,   \
                                   ahead, &frame);                                                 \
        for (size_t k = 0; k < ahead; k++)                                                         \
            AE_PREFETCH(table + (stride) * next[k]);                                               \
        for (size_t k = 0; k < here; k++, at++)                                                    \
            WRITE(table + (stride) * now[k], at);                                                  \
    }                                                                                              \
    return off_sensor

#define SET(cell, k) *(cell) = t[k]

size_t ae_last_times(int64_t *latest, const int64_t *t, const uint16_t *x, const uint16_t *y,
                 const uint8_t *p, size_t n, uint32_t width, uint32_t height)
{
    WALK(latest, (size_t)1, SET);
}

AE_INLINE void push(int64_t *cell, size_t depth, int64_t time)
{
    for (size_t i = depth - 1; i > 0; i--)
        cell[i] = cell[i - 1];
    cell[0] = time;
}

#define PUSH(cell, k) push(cell, depth, t[k])

size_t ae_recent_times(int64_t *recent, size_t depth, const int64_t *t, const uint16_t *x,
                 const uint16_t *y, const uint8_t *p, size_t n, uint32_t width, uint32_t height)
{
    WALK(recent, depth, PUSH);
}

AE_INLINE int64_t interval(const int64_t *cell, int64_t time)
{
    return *cell == AE_NEVER || *cell > time ? -1 : (int64_t)((uint64_t)time - (uint64_t)*cell);
}

#define MEASURE(cell, k)                                                                           \
    do {                                                                                           \
        since[k] = interval(cell, t[k]);                                                           \
        *(cell) = t[k];                                                                            \
        latest[frame.extra] = AE_NEVER;                                                               \
    } while (0)

size_t ae_intervals(int64_t *latest, int64_t *since, const int64_t *t, const uint16_t *x,
                    const uint16_t *y, const uint8_t *p, size_t n, uint32_t width, uint32_t height)
{
    WALK(latest, (size_t)1, MEASURE);
}

/* In blocks: not every instruction set can make floats of int64 in vectors, but all can do the
 * rest. */
AE_INLINE void decay(const int64_t *latest, float *restrict out, size_t n, int64_t now, float rate,
                     int linear)
{
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t here = n - at < BLOCK ? n - at : BLOCK;
        float *restrict to = out + at;
        for (size_t k = 0; k < here; k++)
            to[k] = ae_age(latest[at + k], now) * rate;
        if (linear)
            for (size_t k = 0; k < here; k++)
                to[k] = to[k] < 1.0f ? 1.0f - to[k] : 0.0f;
        else
            for (size_t k = 0; k < here; k++)
                to[k] = ae_exp_minus(to[k]);
    }
}

typedef void decay_pass(const int64_t *, float *restrict, size_t, int64_t, float, int);

static void decay_base(const int64_t *latest, float *restrict out, size_t n, int64_t now,
                       float rate, int linear)
{
    decay(latest, out, n, now, rate, linear);
}

static decay_pass *decay_chosen = decay_base;

#if AE_X86

AE_V3 static size_t index_v3(uint32_t *index, const uint16_t *x, const uint16_t *y,
                             const uint8_t *p, size_t n, const ae_grid *frame)
{
    return ae_index(index, x, y, p, n, frame);
}

AE_V4 static size_t index_v4(uint32_t *index, const uint16_t *x, const uint16_t *y,
                             const uint8_t *p, size_t n, const ae_grid *frame)
{
    return ae_index(index, x, y, p, n, frame);
}

AE_V3 static void decay_v3(const int64_t *latest, float *restrict out, size_t n, int64_t now,
                           float rate, int linear)
{
    decay(latest, out, n, now, rate, linear);
}

AE_V4 static void decay_v4(const int64_t *latest, float *restrict out, size_t n, int64_t now,
                           float rate, int linear)
{
    decay(latest, out, n, now, rate, linear);
}

void ae_surface_select(int level)
{
    index_chosen = level >= 4 ? index_v4 : level == 3 ? index_v3 : index_base;
    decay_chosen = level >= 4 ? decay_v4 : level == 3 ? decay_v3 : decay_base;
}

#else

void ae_surface_select(int level)
{
    (void)level;
}

#endif

void ae_decay(const int64_t *latest, float *out, size_t n, int64_t now, float rate, int linear)
{
    decay_chosen(latest, out, n, now, rate, linear);
}
