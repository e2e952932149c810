/* Events that have times of their own: drawn by chance, and put in the order of time. */
#include "cpu.h"
#include "dice.h"
#include "dispatch.h"
#include "kernels.h"

enum { DIGIT = 65536, BLOCK = 512 };

/* Put events in the order of a digit of their times, `most` at most. */
AE_INLINE void sort(const uint64_t *events, size_t n, unsigned shift, uint32_t *counts,
                    uint32_t most, uint64_t *to)
{
    memset(counts, 0, ((size_t)most + 1) * sizeof *counts);
    for (size_t k = 0; k < n; k++)
        counts[events[k] >> shift & (DIGIT - 1)]++;
    for (uint32_t digit = 0, total = 0; digit <= most; digit++) {
        uint32_t count = counts[digit];
        counts[digit] = total;
        total += count;
    }
    for (size_t k = 0; k < n; k++)
        to[counts[events[k] >> shift & (DIGIT - 1)]++] = events[k];
}

typedef struct {
    int64_t *t;
    uint16_t *x;
    uint16_t *y;
    uint8_t *p;
    uint8_t *noise;
} columns;

/* Write events as columns from place `at` on. */
AE_INLINE void part(const uint64_t *restrict events, size_t n, int64_t start, columns to, size_t at)
{
    int64_t *restrict t = to.t + at;
    uint16_t *restrict x = to.x + at, *restrict y = to.y + at;
    uint8_t *restrict p = to.p + at, *restrict noise = to.noise + at;
    for (size_t k = 0; k < n; k++)
        t[k] = start + (int64_t)(events[k] >> 34);
    for (size_t k = 0; k < n; k++)
        y[k] = (uint16_t)(events[k] >> 18);
    for (size_t k = 0; k < n; k++)
        x[k] = (uint16_t)(events[k] >> 2);
    for (size_t k = 0; k < n; k++)
        noise[k] = events[k] >> 1 & 1;
    for (size_t k = 0; k < n; k++)
        p[k] = events[k] & 1;
}

AE_INLINE void part_all(const uint64_t *events, size_t n, int64_t start, columns to)
{
    for (size_t at = 0; at < n; at += BLOCK)
        part(events + at, n - at < BLOCK ? n - at : BLOCK, start, to, at);
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

AE_INLINE uint32_t poisson_of(float mean, uint32_t i, const uint32_t *keys)
{
    uint32_t parts = 1 + (uint32_t)(mean * 0.125f), count = 0;
    double each = (double)mean / parts;
    for (uint32_t part = 0; part < parts; part++) {
        uint32_t bits = ae_dice(i, keys[0], keys[1] + part * 0x9E3779B9);
        if (bits * 0x1p-32 >= each)
            continue;
        uint32_t next = ae_dice(i, keys[2], keys[3] + part * 0x9E3779B9);
        count += poisson(each, ae_share(bits, next));
    }
    return count;
}

/* What is drawn is mostly above the mean, and then there is none: that is seen in vectors. */
AE_INLINE size_t poisson_counts(const float *means, size_t n, const uint32_t *keys,
                                uint32_t *restrict counts)
{
    const uint32_t key = keys[0], other = keys[1];
    size_t total = 0;
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t here = n - at < BLOCK ? n - at : BLOCK;
        uint32_t *restrict to = counts + at;
        for (size_t k = 0; k < here; k++) {
            int32_t drawn = (int32_t)(ae_dice((uint32_t)(at + k), key, other) >> 8);
            to[k] = (float)drawn * 0x1p-24f < means[at + k];
        }
        for (size_t k = 0; k < here; k++) {
            if (!to[k])
                continue;
            to[k] = poisson_of(means[at + k], (uint32_t)(at + k), keys);
            total += to[k];
        }
    }
    return total;
}

typedef size_t counts_pass(const float *, size_t, const uint32_t *, uint32_t *restrict);
typedef void part_pass(const uint64_t *, size_t, int64_t, columns);

static size_t counts_base(const float *means, size_t n, const uint32_t *keys,
                          uint32_t *restrict counts)
{
    return poisson_counts(means, n, keys, counts);
}

static void part_base(const uint64_t *events, size_t n, int64_t start, columns to)
{
    part_all(events, n, start, to);
}

static counts_pass *counts_chosen = counts_base;
static part_pass *part_chosen = part_base;

#if AE_X86

AE_V3 static size_t counts_v3(const float *means, size_t n, const uint32_t *keys,
                              uint32_t *restrict counts)
{
    return poisson_counts(means, n, keys, counts);
}

AE_V4 static size_t counts_v4(const float *means, size_t n, const uint32_t *keys,
                              uint32_t *restrict counts)
{
    return poisson_counts(means, n, keys, counts);
}

AE_V3 static void part_v3(const uint64_t *events, size_t n, int64_t start, columns to)
{
    part_all(events, n, start, to);
}

AE_V4 static void part_v4(const uint64_t *events, size_t n, int64_t start, columns to)
{
    part_all(events, n, start, to);
}

void ae_spikes_select(int level)
{
    counts_chosen = level >= 4 ? counts_v4 : level == 3 ? counts_v3 : counts_base;
    part_chosen = level >= 4 ? part_v4 : level == 3 ? part_v3 : part_base;
}

#else

void ae_spikes_select(int level)
{
    (void)level;
}

#endif

void ae_spread(const uint64_t *events, uint64_t *spare, size_t n, uint32_t *counts, uint32_t latest,
               int64_t start, int64_t *t, uint16_t *x, uint16_t *y, uint8_t *p, uint8_t *noise)
{
    if (latest < DIGIT) {
        sort(events, n, 34, counts, latest, spare);
    } else {                                  /* by the low digit first, then by the high one */
        sort(events, n, 34, counts, DIGIT - 1, spare + n);
        sort(spare + n, n, 50, counts, latest / DIGIT, spare);
    }
    part_chosen(spare, n, start, (columns){t, x, y, p, noise});
}

size_t ae_poisson_counts(const float *means, size_t n, const uint32_t *keys, uint32_t *counts)
{
    return counts_chosen(means, n, keys, counts);
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
