/* What the kernels share: unaligned little-endian words, and the instruction sets that a function
 * may be compiled for beside the base one. */
#ifndef AEVENTS_CPU_H
#define AEVENTS_CPU_H
#include <stdint.h>
#include <string.h>

#ifdef __GNUC__
#define AE_INLINE static inline __attribute__((always_inline))
#else
#define AE_INLINE static inline
#endif

/* AE_SIMDE: the tests compile the AVX-512 code through SIMDe, for CPUs without it. */
#ifdef AE_SIMDE
#include "simde_shims.h"
#define AE_X86 1
#define AE_V3
#define AE_V4
#elif defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define AE_X86 1
#define AE_V3 __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define AE_V4                                                                                     \
    __attribute__((target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,"    \
                          "avx512vbmi2,avx512bitalg,avx512vpopcntdq")))
#else
#define AE_X86 0
#endif

AE_INLINE uint32_t ae_load16(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8;
}

AE_INLINE uint32_t ae_load32(const uint8_t *bytes)
{
    return ae_load16(bytes) | ae_load16(bytes + 2) << 16;
}

AE_INLINE uint8_t *ae_store16(uint8_t *bytes, uint32_t word)
{
    bytes[0] = (uint8_t)word;
    bytes[1] = (uint8_t)(word >> 8);
    return bytes + 2;
}

AE_INLINE uint8_t *ae_store32(uint8_t *bytes, uint32_t word)
{
#if AE_X86
    memcpy(bytes, &word, 4);      /* what compilers turn into vector code, as they do not bytes */
    return bytes + 4;
#else
    return ae_store16(ae_store16(bytes, word), word >> 16);
#endif
}

#endif
