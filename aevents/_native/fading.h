/* How what was fades: ages, and exponentials of them. */
#ifndef AEVENTS_FADING_H
#define AEVENTS_FADING_H
#include "cpu.h"

#include <math.h>

#define AE_NEVER INT64_MIN

AE_INLINE double ae_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Written so that compilers make vectors of it: the two halves of an age become doubles by standing
 * in the low bits of 2^52 and 2^84, as most instruction sets have no vectors of int64 to float. */
AE_INLINE float ae_age(int64_t latest, int64_t now)
{
    int64_t age = (int64_t)((uint64_t)now - (uint64_t)latest);
    age = age < 0 ? INT64_MAX : age;
    age = latest >= now ? 0 : age;
    double low = ae_double(((uint64_t)age & 0xFFFFFFFF) | 0x4330000000000000);
    double high = ae_double((uint64_t)age >> 32 | 0x4530000000000000);
    double lived = high - (0x1p84 + 0x1p52) + low;
    return (float)(latest == AE_NEVER ? INFINITY : lived);
}

/* exp(-x) of x >= 0 by its series around the nearest power of two, to 2^-23; 0 from 87 on, where
 * floats have no more such powers. */
AE_INLINE float ae_exp_minus(float x)
{
    float gone = x > 87.0f ? 0.0f : 1.0f;
    float near = x > 87.0f ? 87.0f : x;
    float power = near * -1.44269504f + 12582912.0f - 12582912.0f;   /* rounds to an integer */
    float rest = -near - power * 0.693359375f + power * 2.12194440e-4f;
    float sum = 1.0f / 5040 * rest + 1.0f / 720;
    sum = sum * rest + 1.0f / 120;
    sum = sum * rest + 1.0f / 24;
    sum = sum * rest + 1.0f / 6;
    sum = sum * rest + 0.5f;
    sum = sum * rest + 1.0f;
    sum = sum * rest + 1.0f;
    uint32_t bits = (uint32_t)((int32_t)power + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return sum * scale * gone;
}

#endif
