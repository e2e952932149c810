/* What a healthy recording would not hold: time going back, events off the sensor. */
#include "cpu.h"
#include "dispatch.h"
#include "inspect.h"

/* Events earlier than the one before them, from the second event on. */
AE_INLINE int64_t count_backward(const int64_t *t, size_t n)
{
    int64_t backward = 0;
    for (size_t i = 1; i < n; i++)
        backward += t[i] < t[i - 1];
    return backward;
}

AE_INLINE int64_t count_off_sensor(const uint16_t *x, const uint16_t *y, size_t n, uint16_t last_x,
                                   uint16_t last_y)
{
    int64_t off_sensor = 0;
    for (size_t i = 0; i < n; i++)
        off_sensor += (x[i] > last_x) | (y[i] > last_y);
    return off_sensor;
}

AE_INLINE uint16_t largest(const uint16_t *values, size_t n)
{
    uint16_t most = 0;
    for (size_t i = 0; i < n; i++)
        most = values[i] > most ? values[i] : most;
    return most;
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

typedef int64_t backward_function(const int64_t *t, size_t n);

AE_INLINE void inspect(backward_function *backward_in, const int64_t *t, const uint16_t *x,
                       const uint16_t *y, size_t n, ae_inspection *state)
{
    if (!n)
        return;
    if (!state->started)
        state->last = state->latest = t[0];
    state->started = 1;

    int64_t backward = (t[0] < state->last) + backward_in(t, n);
    state->backward += backward;
    state->last = t[n - 1];
    if (!backward && t[0] >= state->latest)            /* in order: nothing is late */
        state->latest = t[n - 1];
    else
        state->late += follow_running_time(t, n, &state->latest);

    int64_t width = state->width, height = state->height;
    if (width <= 0 || height <= 0 || (largest(x, n) < width && largest(y, n) < height))
        return;
    state->off_sensor += count_off_sensor(x, y, n, (uint16_t)(width < 65536 ? width - 1 : 65535),
                                          (uint16_t)(height < 65536 ? height - 1 : 65535));
}

static void inspect_base(const int64_t *t, const uint16_t *x, const uint16_t *y, size_t n,
                         ae_inspection *state)
{
    inspect(count_backward, t, x, y, n, state);
}

static void (*inspect_block)(const int64_t *, const uint16_t *, const uint16_t *, size_t,
                             ae_inspection *) = inspect_base;

void ae_inspect(const int64_t *t, const uint16_t *x, const uint16_t *y, size_t n,
                ae_inspection *state)
{
    state->backward = state->late = state->off_sensor = 0;
    ae_inspect_more(t, x, y, n, state);
}

void ae_inspect_more(const int64_t *t, const uint16_t *x, const uint16_t *y, size_t n,
                     ae_inspection *state)
{
    inspect_block(t, x, y, n, state);
}

#if AE_X86

/* The same text, compiled for AVX2: SSE2 has no comparison of 64-bit integers. */
AE_V3 static void inspect_v3(const int64_t *t, const uint16_t *x, const uint16_t *y, size_t n,
                             ae_inspection *state)
{
    inspect(count_backward, t, x, y, n, state);
}

/* Whether there are any is asked first, of eight at a time, each loaded once. */
AE_V4 AE_INLINE int64_t backward_v4(const int64_t *t, size_t n)
{
    unsigned any = 0;
    size_t i = 0;
    __m512i before = _mm512_set1_epi64(t[0]);
    for (; i + 8 <= n; i += 8) {
        __m512i now = _mm512_loadu_si512(t + i);
        any |= _mm512_cmplt_epi64_mask(now, _mm512_alignr_epi64(now, before, 7));
        before = now;
    }
    for (i += i == 0; i < n; i++)
        any |= t[i] < t[i - 1];
    return any ? count_backward(t, n) : 0;
}

AE_V4 static void inspect_v4(const int64_t *t, const uint16_t *x, const uint16_t *y, size_t n,
                             ae_inspection *state)
{
    inspect(backward_v4, t, x, y, n, state);
}

void ae_inspect_select(int level)
{
    inspect_block = level >= 4 ? inspect_v4 : level >= 3 ? inspect_v3 : inspect_base;
}

#else

void ae_inspect_select(int level)
{
    (void)level;
}

#endif
