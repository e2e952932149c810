/* What a healthy recording would not hold: time going back, events off the sensor. */
#include "cpu.h"
#include "dispatch.h"
#include "kernels.h"

/* Events earlier than the one before them, from the second event on. */
AE_INLINE int64_t count_backward(const int64_t *t, size_t n)
{
    int64_t backward = 0;
    for (size_t i = 1; i < n; i++)
        backward += t[i] < t[i - 1];
    return backward;
}

/* `beyond` adds in 16-bit lanes, as wide as the columns: hence pieces of at most 32767 events. */
AE_INLINE int64_t count_off_sensor(const uint16_t *x, const uint16_t *y, size_t n,
                                   uint16_t last_x, uint16_t last_y)
{
    int64_t off_sensor = 0;
    while (n) {
        size_t piece = n < 32767 ? n : 32767;
        uint16_t beyond = 0;
        for (size_t i = 0; i < piece; i++)
            beyond = (uint16_t)(beyond + ((x[i] > last_x) | (y[i] > last_y)));
        off_sensor += beyond;
        x += piece, y += piece, n -= piece;
    }
    return off_sensor;
}

/* Events earlier than the running time, one by one: only where time went back. */
static int64_t follow_running_time(const int64_t *t, size_t n, int64_t *running)
{
    int64_t latest = *running;
    int64_t late = 0;
    for (size_t i = 0; i < n; i++) {
        late += t[i] < latest;
        latest = t[i] > latest ? t[i] : latest;
    }
    *running = latest;
    return late;
}

AE_INLINE void inspect(const int64_t *t, const uint16_t *x, const uint16_t *y, size_t n,
                       ae_inspection *state)
{
    state->backward = state->late = state->off_sensor = 0;
    if (!n)
        return;
    if (!state->started)
        state->last = state->latest = t[0];
    state->started = 1;

    state->backward = (t[0] < state->last) + count_backward(t, n);
    state->last = t[n - 1];
    if (!state->backward && t[0] >= state->latest)     /* in order: nothing is late */
        state->latest = t[n - 1];
    else
        state->late = follow_running_time(t, n, &state->latest);

    int64_t width = state->width, height = state->height;
    if (width > 0 && height > 0)
        state->off_sensor = count_off_sensor(x, y, n, (uint16_t)(width < 65536 ? width - 1 : 65535),
                                             (uint16_t)(height < 65536 ? height - 1 : 65535));
}

static void inspect_base(const int64_t *t, const uint16_t *x, const uint16_t *y, size_t n,
                         ae_inspection *state)
{
    inspect(t, x, y, n, state);
}

static void (*inspect_block)(const int64_t *, const uint16_t *, const uint16_t *, size_t,
                             ae_inspection *) = inspect_base;

void ae_inspect(const int64_t *t, const uint16_t *x, const uint16_t *y, size_t n,
                ae_inspection *state)
{
    inspect_block(t, x, y, n, state);
}

#if AE_X86

/* The same text, compiled for AVX2: SSE2 has no comparison of 64-bit integers. */
AE_V3 static void inspect_avx2(const int64_t *t, const uint16_t *x, const uint16_t *y, size_t n,
                               ae_inspection *state)
{
    inspect(t, x, y, n, state);
}

void ae_inspect_select(int level)
{
    inspect_block = level >= 3 ? inspect_avx2 : inspect_base;
}

#else

void ae_inspect_select(int level)
{
    (void)level;
}

#endif
