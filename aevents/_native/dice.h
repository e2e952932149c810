/* Random numbers that depend on nothing but their number and a key, so that any pixel can have its
 * own at any time: MurmurHash3's finaliser (A. Appleby), twice, each after half of the key. */
#ifndef AEVENTS_DICE_H
#define AEVENTS_DICE_H
#include "cpu.h"

AE_INLINE uint32_t ae_mix(uint32_t bits)
{
    bits = (bits ^ bits >> 16) * 0x85EBCA6B;
    bits = (bits ^ bits >> 13) * 0xC2B2AE35;
    return bits ^ bits >> 16;
}

/* 32 bits, each number and key its own. */
AE_INLINE uint32_t ae_dice(uint32_t number, uint32_t key, uint32_t other_key)
{
    return ae_mix(ae_mix(number * 0x9E3779B9 + key) + other_key);
}

/* A number from 0 up to 1 whose first 32 bits are given, and then the next. */
AE_INLINE double ae_share(uint32_t bits, uint32_t next)
{
    return (bits + next * 0x1p-32) * 0x1p-32;
}

/* A normal number: the highest bit is its sign, and the others say by a table how far it is from 0
 * (see normals.py): they are seen as a float, whose first bits are those of an entry. */
AE_INLINE float ae_normal(uint32_t bits, const float *table)
{
    float share = (float)(int32_t)((bits & 0x7FFFFFFF) | 1);
    uint32_t seen;
    memcpy(&seen, &share, sizeof seen);
    uint32_t at = (seen >> 19) - (127 << 4);
    float rest = (float)(int32_t)(seen & 0x7FFFF) * 0x1p-19f;
    float far = table[at] + rest * (table[at + 1] - table[at]);
    return bits >> 31 ? -far : far;
}

/* A whole number from 0 up to `most`. */
AE_INLINE uint32_t ae_below(uint32_t bits, uint32_t most)
{
    return (uint32_t)((uint64_t)bits * most >> 32);
}

#endif
