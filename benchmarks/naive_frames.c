/* What anyone would write first: for bench_frames.py to compare with. No check of the bounds. */
#include <stddef.h>
#include <stdint.h>

void naive_polarity(uint32_t *counts, const uint16_t *x, const uint16_t *y, const uint8_t *p,
                    size_t n, uint32_t width, uint32_t height)
{
    size_t plane = (size_t)width * height;
    for (size_t i = 0; i < n; i++)
        counts[p[i] * plane + (size_t)y[i] * width + x[i]]++;
}

/* Read out and clear: float(ON) - float(OFF). */
void naive_signed(uint32_t *counts, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (float)counts[n + i] - (float)counts[i];
        counts[i] = counts[n + i] = 0;
    }
}
