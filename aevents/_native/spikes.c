/* Events that have times of their own: drawn by chance, and put in the order of time. */
#include "cpu.h"
#include "dice.h"
#include "kernels.h"

enum { DIGIT = 65536 };

/* Where events of each digit begin. */
AE_INLINE void begins(const uint64_t *events, size_t n, unsigned shift, uint32_t *counts,
                      uint32_t most)
{
    memset(counts, 0, ((size_t)most + 1) * sizeof *counts);
    for (size_t k = 0; k < n; k++)
        counts[events[k] >> shift & (DIGIT - 1)]++;
    for (uint32_t digit = 0, total = 0; digit <= most; digit++) {
        uint32_t count = counts[digit];
        counts[digit] = total;
        total += count;
    }
}

void ae_spread(uint64_t *events, uint64_t *spare, size_t n, uint32_t *counts, uint32_t latest,
               int64_t start, int64_t *t, uint16_t *x, uint16_t *y, uint8_t *p, uint8_t *noise)
{
    unsigned shift = 34;
    if (latest >= DIGIT) {                    /* by the low digit first, then by the high one */
        begins(events, n, shift, counts, DIGIT - 1);
        for (size_t k = 0; k < n; k++)
            spare[counts[events[k] >> shift & (DIGIT - 1)]++] = events[k];
        events = spare;
        shift += 16;
        latest /= DIGIT;
    }
    begins(events, n, shift, counts, latest);
    for (size_t k = 0; k < n; k++) {
        uint64_t event = events[k];
        uint32_t to = counts[event >> shift & (DIGIT - 1)]++;
        t[to] = start + (int64_t)(event >> 34);
        y[to] = (uint16_t)(event >> 18);
        x[to] = (uint16_t)(event >> 2);
        noise[to] = event >> 1 & 1;
        p[to] = event & 1;
    }
}

/* exp(-mean) of 0 to 8, by its series at a 64th of it: the same to the bit wherever it runs. */
AE_INLINE double none_of(double mean)
{
    double x = mean * (-1.0 / 64), sum = 1.0;
    for (int term = 12; term > 0; term--)
        sum = 1.0 + x / term * sum;
    for (int twice = 0; twice < 6; twice++)
        sum *= sum;
    return sum;
}

/* As many as the chance of as many or more is above what is drawn. */
AE_INLINE uint32_t poisson(double mean, double drawn)
{
    double chance = none_of(mean), rest = 1.0 - chance;
    uint32_t count = 0;
    while (drawn < rest && count < 64) {
        count++;
        chance *= mean / count;
        rest -= chance;
    }
    return count;
}

size_t ae_poisson_counts(const float *means, size_t n, const uint32_t *keys, uint32_t *counts)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t parts = 1 + (uint32_t)(means[i] * 0.125f), count = 0;
        double mean = (double)means[i] / parts;
        for (uint32_t part = 0; part < parts; part++) {
            uint32_t bits = ae_dice((uint32_t)i, keys[0], keys[1] + part * 0x9E3779B9);
            if (bits * 0x1p-32 >= mean)       /* it is none: most often so */
                continue;
            uint32_t next = ae_dice((uint32_t)i, keys[2], keys[3] + part * 0x9E3779B9);
            count += poisson(mean, ae_share(bits, next));
        }
        counts[i] = count;
        total += count;
    }
    return total;
}

void ae_poisson_events(const uint32_t *counts, size_t n, size_t width, size_t half, uint32_t p,
                       uint32_t interval, const uint32_t *key, uint64_t *events)
{
    for (size_t i = 0; i < n; i++) {
        size_t pixel = i < half ? i : i - half;
        uint64_t place = (uint64_t)(pixel / width) << 18 | (uint64_t)(pixel % width) << 2;
        place |= i < half ? p : 1;
        for (uint32_t j = 0; j < counts[i]; j++) {
            uint32_t bits = ae_dice((uint32_t)i, key[0], key[1] + j * 0x9E3779B9);
            *events++ = (uint64_t)ae_below(bits, interval) << 34 | place;
        }
    }
}
