/* The words by which a damaged recording is told from a healthy one: those that say another time
 * than the one before, and those that no writer writes. See kernels.h. */
#include "cpu.h"
#include "dispatch.h"
#include "kernels.h"

enum { BLOCK = 64, PART = 8 };     /* words looked at together: few blocks, and parts, hold a mark */

/* ---- EVT3 -------------------------------------------------------------------------------------- */

enum { TIME_HIGH3 = 0x8000, FIRST = 0x9000, SECOND = 0xB000, THIRD = 0xC000 };   /* and reserved */

AE_INLINE uint16_t marked16(uint16_t word, uint16_t last)
{
    uint16_t type = word & 0xF000;
    uint16_t high = (uint16_t)-(type == TIME_HIGH3) & (uint16_t)-(word != last);
    uint16_t reserved = (uint16_t)-(type == FIRST) | (uint16_t)-(type == SECOND) |
                        (uint16_t)-(type == THIRD);
    return high | reserved;
}

AE_INLINE int any_marked16(const uint8_t *data, size_t count, uint16_t last)
{
    uint16_t any = 0;
    for (size_t j = 0; j < count; j++) {
        uint16_t word;
        memcpy(&word, data + 2 * j, 2);
        any |= marked16(word, last);
    }
    return any != 0;
}

/* Looks at words [i, stop) one by one. */
AE_INLINE size_t each16(const uint8_t *data, size_t i, size_t stop, ae_marks *state, uint32_t *out)
{
    size_t n = 0;
    uint16_t last = (uint16_t)state->last;
    for (; i < stop; i++) {
        uint16_t word = (uint16_t)ae_load16(data + 2 * i);
        out[n] = (uint32_t)i;
        n += marked16(word, last) & 1;
        last = (word & 0xF000) == TIME_HIGH3 ? word : last;
    }
    state->last = last;
    return n;
}

AE_INLINE size_t marks16(const uint8_t *data, size_t words, ae_marks *state, uint32_t *out)
{
    size_t i = 0, n = 0;
    for (; AE_X86 && i + BLOCK <= words; i += BLOCK) {
        if (!any_marked16(data + 2 * i, BLOCK, (uint16_t)state->last))
            continue;
        for (size_t j = i; j < i + BLOCK; j += PART)
            if (any_marked16(data + 2 * j, PART, (uint16_t)state->last))
                n += each16(data, j, j + PART, state, out + n);
    }
    return n + each16(data, i, words, state, out + n);
}

/* ---- EVT2, EVT2.1, EVT4 ------------------------------------------------------------------------ */

AE_INLINE uint32_t is_one_of(uint32_t word, uint32_t types)
{
    return types >> (word >> 28) & 1;
}

AE_INLINE int any_marked32(const uint8_t *data, size_t stride, size_t count, uint32_t types,
                           const ae_marks *state)
{
    uint32_t any = (uint32_t)state->masked, last = (uint32_t)state->last;
    for (size_t j = 0; j < count; j++) {
        uint32_t word;
        memcpy(&word, data + stride * j, 4);
        any |= is_one_of(word, types) & (word != last);
    }
    return any != 0;
}

/* Looks at words [i, stop) one by one. */
AE_INLINE size_t each32(const uint8_t *data, size_t stride, size_t i, size_t stop, ae_marks *state,
                        uint32_t *out)
{
    const uint32_t vectors = (uint32_t)state->vectors, high = (uint32_t)1 << state->high;
    const uint32_t types = (uint32_t)state->reserved | high;
    uint32_t last = (uint32_t)state->last, masked = (uint32_t)state->masked;
    size_t n = 0;
    for (; i < stop; i++) {
        uint32_t word = ae_load32(data + stride * i);
        out[n] = (uint32_t)i;
        n += is_one_of(word, types) & (word != last) & !masked;
        last = is_one_of(word, high) & !masked ? word : last;
        masked = is_one_of(word, vectors) & !masked;
    }
    state->last = last;
    state->masked = masked;
    return n;
}

AE_INLINE size_t marks32(const uint8_t *data, size_t words, size_t stride, ae_marks *state,
                         uint32_t *out)
{
    const uint32_t types = (uint32_t)(state->reserved | state->vectors) | (uint32_t)1 << state->high;
    size_t i = 0, n = 0;
    for (; AE_X86 && i + BLOCK <= words; i += BLOCK) {
        if (!any_marked32(data + stride * i, stride, BLOCK, types, state))
            continue;
        for (size_t j = i; j < i + BLOCK; j += PART)
            if (any_marked32(data + stride * j, stride, PART, types, state))
                n += each32(data, stride, j, j + PART, state, out + n);
    }
    return n + each32(data, stride, i, words, state, out + n);
}

AE_INLINE size_t marks32_of(const uint8_t *data, size_t words, ae_marks *state, uint32_t *out)
{
    if (state->stride == 8)
        return marks32(data + state->typed, words, 8, state, out);
    return marks32(data, words, 4, state, out);
}

/* ---- DAT --------------------------------------------------------------------------------------- */

AE_INLINE uint32_t leaps(uint32_t time, uint32_t last)
{
    return time - last + AE_MOST_STEP > 2 * AE_MOST_STEP;
}

AE_INLINE int any_marked64(const uint8_t *data, uint32_t reserved, uint32_t last)
{
    uint32_t times[BLOCK + 1] = {last}, any = 0;
    for (size_t j = 0; j < BLOCK; j++) {
        uint32_t word;
        memcpy(&times[j + 1], data + 8 * j, 4);
        memcpy(&word, data + 8 * j + 4, 4);
        any |= word & reserved;
    }
    for (size_t j = 0; j < BLOCK; j++)
        any |= leaps(times[j + 1], times[j]);
    return any != 0;
}

AE_INLINE size_t marks64(const uint8_t *data, size_t words, ae_marks *state, uint32_t *out)
{
    const uint32_t reserved = (uint32_t)state->reserved;
    size_t n = 0;
    for (size_t i = 0; i < words; i += BLOCK) {
        size_t stop = i + BLOCK < words ? i + BLOCK : words;
        uint32_t last = state->last < 0 ? ae_load32(data + 8 * i) : (uint32_t)state->last;
        state->last = ae_load32(data + 8 * stop - 8);
        if (AE_X86 && stop == i + BLOCK && !any_marked64(data + 8 * i, reserved, last))
            continue;
        for (size_t j = i; j < stop; j++) {
            uint32_t time = ae_load32(data + 8 * j);
            out[n] = (uint32_t)j;
            n += leaps(time, last) | ((ae_load32(data + 8 * j + 4) & reserved) != 0);
            last = time;
        }
    }
    return n;
}

/* ---- dispatch ---------------------------------------------------------------------------------- */

typedef size_t marks_function(const uint8_t *, size_t, ae_marks *, uint32_t *);

#define LEVEL(name, target, function)                                                              \
    target static size_t name(const uint8_t *data, size_t words, ae_marks *state, uint32_t *out)   \
    {                                                                                              \
        return function(data, words, state, out);                                                  \
    }

LEVEL(evt3_base, , marks16)
LEVEL(evt2_base, , marks32_of)
LEVEL(dat_base, , marks64)
#if AE_X86
LEVEL(evt3_v3, AE_V3, marks16)
LEVEL(evt2_v3, AE_V3, marks32_of)
LEVEL(dat_v3, AE_V3, marks64)
LEVEL(evt3_v4, AE_V4, marks16)
LEVEL(evt2_v4, AE_V4, marks32_of)
LEVEL(dat_v4, AE_V4, marks64)
#endif

static marks_function *evt3 = evt3_base, *evt2 = evt2_base, *dat = dat_base;

size_t ae_evt3_marks(const uint8_t *data, size_t words, ae_marks *state, uint32_t *out)
{
    return evt3(data, words, state, out);
}

size_t ae_evt2_marks(const uint8_t *data, size_t words, ae_marks *state, uint32_t *out)
{
    return evt2(data, words, state, out);
}

size_t ae_dat_marks(const uint8_t *data, size_t words, ae_marks *state, uint32_t *out)
{
    return dat(data, words, state, out);
}

void ae_marks_select(int level)
{
    evt3 = evt3_base, evt2 = evt2_base, dat = dat_base;
#if AE_X86
    if (level >= 4)
        evt3 = evt3_v4, evt2 = evt2_v4, dat = dat_v4;
    else if (level >= 3)
        evt3 = evt3_v3, evt2 = evt2_v3, dat = dat_v3;
#else
    (void)level;
#endif
}
