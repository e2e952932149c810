/* The yardstick: decoders as one writes them at first, a switch on each word. For benchmarks only. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    int64_t *t;
    uint16_t *x, *y;
    uint8_t *p;
    int64_t loop, high, low;
    uint16_t row, base_x;
    uint8_t base_p;
} naive;

size_t naive_evt2(const uint32_t *words, size_t count, naive *s)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t word = words[i];
        switch (word >> 28) {
        case 0: case 1:
            s->t[n] = s->loop + (s->high << 6) + (word >> 22 & 63);
            s->x[n] = word >> 11 & 0x7FF;
            s->y[n] = word & 0x7FF;
            s->p[n] = word >> 28;
            n++;
            break;
        case 8:
            if (s->high - (int64_t)(word & 0xFFFFFFF) > 1 << 27)
                s->loop += (int64_t)1 << 34;
            s->high = word & 0xFFFFFFF;
            break;
        }
    }
    return n;
}

size_t naive_evt3(const uint16_t *words, size_t count, naive *s)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t word = words[i], value = word & 0xFFF;
        switch (word >> 12) {
        case 0:
            s->row = word & 0x7FF;
            break;
        case 2:
            s->t[n] = s->loop + (s->high << 12) + s->low;
            s->x[n] = word & 0x7FF;
            s->y[n] = s->row;
            s->p[n] = word >> 11 & 1;
            n++;
            break;
        case 3:
            s->base_x = word & 0x7FF;
            s->base_p = word >> 11 & 1;
            break;
        case 4: case 5: {
            int bits = word >> 12 == 4 ? 12 : 8;
            for (int bit = 0; bit < bits; bit++) {
                if (word >> bit & 1) {
                    s->t[n] = s->loop + (s->high << 12) + s->low;
                    s->x[n] = s->base_x + bit;
                    s->y[n] = s->row;
                    s->p[n] = s->base_p;
                    n++;
                }
            }
            s->base_x += bits;
            break;
        }
        case 6:
            s->low = value;
            break;
        case 8:
            if (value != s->high)
                s->low = 0;
            if (s->high >= value + 2048)
                s->loop += 1 << 24;
            s->high = value;
            break;
        }
    }
    return n;
}

size_t naive_dat(const uint64_t *records, size_t count, naive *s)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t time = (uint32_t)records[i], word = records[i] >> 32;
        if (s->high - (int64_t)time > (int64_t)1 << 31)
            s->loop += (int64_t)1 << 32;
        s->high = time;
        s->t[i] = s->loop + time;
        s->x[i] = word & 0x3FFF;
        s->y[i] = word >> 14 & 0x3FFF;
        s->p[i] = word >> 28;
    }
    return count;
}

/* The floor: the file's bytes into a buffer that is used again and again. */
size_t copy(const void *data, size_t size, void *buffer)
{
    memcpy(buffer, data, size);
    return size;
}
