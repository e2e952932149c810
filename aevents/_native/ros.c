/* Events as the messages of ROS hold them; all little-endian.
 *
 *   dvs       13 bytes: x 16, y 16, seconds 32, nanoseconds 32, p 8. CDR aligns each field to its
 *             size: x at 16 k - 2 (the first at 0), y at 16 k (2), seconds at 16 k + 4, p at + 12
 *   mono      64 bits: 31-0 ns since the base, 47-32 x, 62-48 y, 63 p
 *   libcaer   two times 32 bits: 0 valid, 1 p, 16-2 y, 31-17 x; then us since the base
 *   compact   16 bits, type in 15-12, the clock from 0 in each message: 0 TIME_HIGH 11-0,
 *             1 TIME_LOW 11-0, 2 ADDR_X 10-0, 3 ADDR_Y 10-0 and p in 11: an event, 4 VECT_BASE_Y
 *             10-0 and p in 11, 5 VECT_8: bit i an event at y + i, then y += 8 */
#include "cpu.h"
#include "kernels.h"

enum { PACKED = 13, ALIGNED = 16, LOW_BITS = 12 };
enum { TIME_HIGH, TIME_LOW, ADDR_X, ADDR_Y, VECT_BASE_Y, VECT_8 };

#define CLOCK_RANGE ((int64_t)1 << 31)      /* us, of libcaer */

AE_INLINE size_t room_for(size_t records, const ae_columns *out)
{
    size_t room = out->capacity > AE_SLACK ? out->capacity - AE_SLACK : 0;
    return records < room ? records : room;
}

AE_INLINE void timed_pixel(const uint8_t *pixel, const uint8_t *time, int is_signed, size_t i,
                           ae_columns *out)
{
    uint32_t seconds = ae_load32(time);
    out->t[i] = (is_signed ? (int64_t)(int32_t)seconds : (int64_t)seconds) * 1000000
                + ae_load32(time + 4) / 1000;
    out->x[i] = (uint16_t)ae_load16(pixel);
    out->y[i] = (uint16_t)ae_load16(pixel + 2);
    out->p[i] = time[8] != 0;
}

size_t ae_ros_dvs_decode(const uint8_t *data, size_t length, ae_ros *state, ae_columns *out)
{
    if (!state->aligned) {
        size_t records = out->n = room_for(length / PACKED, out);
        for (size_t i = 0; i < records; i++)
            timed_pixel(data + PACKED * i, data + PACKED * i + 4, 0, i, out);
        return PACKED * records;
    }
    size_t records = out->n = room_for((length + (ALIGNED - PACKED)) / ALIGNED, out);
    for (size_t i = 0; i < records; i++) {
        const uint8_t *record = data + ALIGNED * i;
        timed_pixel(i || state->begun ? record - 2 : record, record + 4, 1, i, out);
    }
    state->begun |= records > 0;
    size_t end = ALIGNED * records;
    return end < length ? end : length;
}

size_t ae_ros_mono_decode(const uint8_t *data, size_t words, ae_ros *state, ae_columns *out)
{
    words = out->n = room_for(words, out);
    for (size_t i = 0; i < words; i++) {
        uint32_t pixel = ae_load32(data + 8 * i + 4);
        out->t[i] = (int64_t)(((uint64_t)state->base + ae_load32(data + 8 * i)) / 1000);
        out->x[i] = (uint16_t)pixel;
        out->y[i] = pixel >> 16 & 0x7FFF;
        out->p[i] = pixel >> 31;
    }
    return words;
}

size_t ae_ros_libcaer_decode(const uint8_t *data, size_t words, ae_ros *state, ae_columns *out)
{
    words = out->n = room_for(words, out);
    for (size_t i = 0; i < words; i++) {
        uint32_t pixel = ae_load32(data + 8 * i);
        int64_t time = ae_load32(data + 8 * i + 4) & 0x7FFFFFFF;
        if (state->last - time > CLOCK_RANGE / 2)
            state->base += CLOCK_RANGE;
        state->last = time;
        out->t[i] = state->base + time;
        out->x[i] = (uint16_t)(pixel >> 17);
        out->y[i] = pixel >> 2 & 0x7FFF;
        out->p[i] = pixel >> 1 & 1;
    }
    return words;
}

AE_INLINE void pixel_at(uint32_t y, uint32_t p, const ae_ros *state, ae_columns *out)
{
    out->t[out->n] = state->base + (state->high | state->low);
    out->x[out->n] = (uint16_t)state->x;
    out->y[out->n] = (uint16_t)y;
    out->p[out->n] = (uint8_t)p;
    out->n++;
}

AE_INLINE void compact_word(uint32_t word, ae_ros *state, ae_columns *out)
{
    uint32_t value = word & 0xFFF;
    switch (word >> LOW_BITS) {
    case TIME_HIGH:
        state->high = (int64_t)value << LOW_BITS;
        break;
    case TIME_LOW:
        state->low = value;
        break;
    case ADDR_X:
        state->x = value & 0x7FF;
        break;
    case ADDR_Y:
        pixel_at(value & 0x7FF, value >> 11, state, out);
        break;
    case VECT_BASE_Y:
        state->y = value & 0x7FF;
        state->p = value >> 11;
        break;
    case VECT_8:
        for (uint32_t i = 0; i < 8; i++)
            if (value >> i & 1)
                pixel_at((uint32_t)state->y + i, (uint32_t)state->p, state, out);
        state->y = (state->y + 8) & 0xFFFF;
        break;
    default:
        state->unknown++;
    }
}

size_t ae_ros_compact_decode(const uint8_t *data, size_t words, ae_ros *state, ae_columns *out)
{
    size_t i = 0;
    for (; i < words && out->n + AE_SLACK <= out->capacity; i++)
        compact_word(ae_load16(data + 2 * i), state, out);
    return i;
}
