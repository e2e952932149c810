/* What anyone would write in C to take events from libcaer, to compare with: for bench_camera.py. */
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct __attribute__((packed)) header {
    int16_t type, source;
    int32_t size, time, overflow, capacity, number, valid;
};
struct __attribute__((packed)) container {
    int64_t lowest, highest;
    int32_t events, valid, packets;
    struct header *packet[];
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Take what comes for so many seconds, into columns with room for `capacity` events; return how
 * many events there were. `get` is caerDeviceDataGet; `file` is readable when there is something. */
int64_t naive_take(struct container *(*get)(void *), void *handle, int file, double seconds,
                   int64_t *t, uint16_t *x, uint16_t *y, uint8_t *p, size_t capacity)
{
    int64_t events = 0;
    uint8_t rest[4096];
    for (double end = now() + seconds; now() < end;) {
        struct pollfd wait = {file, POLLIN, 0};
        if (poll(&wait, 1, 100) > 0 && read(file, rest, sizeof rest) < 0)
            return -1;
        struct container *one;
        while ((one = get(handle))) {
            for (int i = 0; i < one->packets; i++) {
                struct header *packet = one->packet[i];
                if (!packet)
                    continue;
                if (packet->type == 1) {
                    const uint32_t *word = (const uint32_t *)(packet + 1);
                    int64_t base = (int64_t)packet->overflow << 31;
                    size_t n = 0;
                    for (int32_t k = 0; k < packet->number && n < capacity; k++, word += 2) {
                        if (!(word[0] & 1))
                            continue;
                        t[n] = base + (int32_t)word[1];
                        x[n] = (uint16_t)(word[0] >> 17);
                        y[n] = word[0] >> 2 & 0x7FFF;
                        p[n++] = word[0] >> 1 & 1;
                    }
                    events += (int64_t)n;
                }
                free(packet);
            }
            free(one);
        }
    }
    return events;
}
