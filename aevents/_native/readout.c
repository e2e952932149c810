/* From counters to a frame, and clear: one pass over the table.
 *
 * The loops are plain and are left to the compiler to vectorise: they wait for memory. */
#include "kernels.h"

#include <string.h>

/* One value, and 0 where it stood. */
#define TAKE(i) (value = counts[i], counts[i] = 0, value)
#define TAKE_BOTH(i) (value = counts[i] + spill[i], counts[i] = 0, spill[i] = 0, value)

/* Counts are uint32, their difference is int32. Narrow counters without spill go through int32,
 * because SSE2 and AVX2 convert that to float in one instruction, unlike uint32. */
#define READ(OUT, WIDE, TAKE_ONE)                                                                  \
    do {                                                                                           \
        uint32_t value;                                                                            \
        if (signed_)                                                                               \
            for (size_t i = 0; i < n; i++) {                                                       \
                uint32_t off = TAKE_ONE(i);                                                        \
                out[i] = (OUT)(int32_t)(TAKE_ONE(n + i) - off);                                    \
            }                                                                                      \
        else                                                                                       \
            for (size_t i = 0; i < n; i++)                                                         \
                out[i] = (OUT)(WIDE)TAKE_ONE(i);                                                   \
    } while (0)

/* The last slots hold no pixel: counts of events off the sensor, and whether anything spilled. */
#define READOUT(NAME, COUNTER, OUT, NARROW)                                                        \
    void NAME(COUNTER *restrict counts, uint32_t *restrict spill, OUT *restrict out, size_t n,     \
              int signed_)                                                                         \
    {                                                                                              \
        size_t last = signed_ ? 2 * n : n;                                                         \
        if (spill && spill[last])                                                                  \
            READ(OUT, uint32_t, TAKE_BOTH);                                                        \
        else                                                                                       \
            READ(OUT, NARROW, TAKE);                                                               \
        counts[last] = 0;                                                                          \
        if (spill)                                                                                 \
            spill[last] = 0;                                                                       \
    }

READOUT(ae_readout_u8_f32, uint8_t, float, int32_t)
READOUT(ae_readout_u16_f32, uint16_t, float, int32_t)
READOUT(ae_readout_u32_f32, uint32_t, float, uint32_t)
READOUT(ae_readout_u8_i32, uint8_t, int32_t, int32_t)
READOUT(ae_readout_u16_i32, uint16_t, int32_t, int32_t)
READOUT(ae_readout_u32_i32, uint32_t, int32_t, int32_t)
