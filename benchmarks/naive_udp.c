/* A sender for bench_udp.py and bench_latency.py, and what anyone would write in C to receive, to compare with. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { AT_ONCE = 64, LONGEST = 2048 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Send `count` times the same datagram, `rate` a second (0: as fast as it goes), through a connected
 * socket that waits; where the sender itself was held up, no more than `lag` seconds are caught up.
 * Returns how many have gone. */
int64_t naive_send(int file, const uint8_t *datagram, size_t size, int64_t count, double rate,
                   double lag)
{
    struct mmsghdr messages[AT_ONCE];
    struct iovec place = {(void *)datagram, size};
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < AT_ONCE; i++) {
        messages[i].msg_hdr.msg_iov = &place;
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    double start = now();
    int64_t sent = 0;
    while (sent < count) {
        double late = now() - start - (double)sent / (rate > 0 ? rate : 1);
        if (rate > 0 && late > lag)
            start += late - lag;
        int64_t due = rate > 0 ? (int64_t)((now() - start) * rate) - sent : AT_ONCE;
        due = due < count - sent ? due : count - sent;
        if (due <= 0) {
            struct timespec pause = {0, 20000};
            nanosleep(&pause, NULL);
            continue;
        }
        int gone = sendmmsg(file, messages, due < AT_ONCE ? (unsigned)due : AT_ONCE, 0);
        if (gone < 0)
            break;
        sent += gone;
    }
    return sent;
}

/* Send `count` datagrams, `rate` a second, one by one, each word of them the number of the datagram
 * as x + 640 * y, and note in `times` when each went, in ns. Returns how many have gone. */
int64_t naive_send_timed(int file, uint8_t *datagram, size_t size, int64_t count, double rate,
                         int64_t *times)
{
    double start = now();
    for (int64_t i = 0; i < count; i++) {
        uint32_t word = 1u << 31 | (uint32_t)(i % 640) << 16 | (uint32_t)(i / 640);
        for (size_t at = 0; at + sizeof word <= size; at += sizeof word)
            memcpy(datagram + at, &word, sizeof word);
        while ((now() - start) * rate < (double)i) {
            struct timespec pause = {0, 20000};
            nanosleep(&pause, NULL);
        }
        times[i] = (int64_t)(now() * 1e9);
        if (send(file, datagram, size, 0) < 0)
            return i;
    }
    return count;
}

/* Take what has come, in room for `capacity` events; return how many events. */
int64_t naive_receive(int file, int64_t *t, uint16_t *x, uint16_t *y, uint8_t *p, size_t capacity)
{
    static uint8_t bytes[AT_ONCE][LONGEST];
    struct mmsghdr messages[AT_ONCE];
    struct iovec places[AT_ONCE];
    int64_t events = 0;
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < AT_ONCE; i++) {
        places[i] = (struct iovec){bytes[i], LONGEST};
        messages[i].msg_hdr.msg_iov = places + i;
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (;;) {
        int got = recvmmsg(file, messages, AT_ONCE, MSG_DONTWAIT, NULL);
        int64_t arrival = (int64_t)(now() * 1e6);
        size_t n = 0;
        if (got <= 0)
            return events;
        for (int i = 0; i < got; i++) {
            const uint32_t *words = (const uint32_t *)bytes[i];
            for (size_t k = 0; k < messages[i].msg_len / 4 && n < capacity; k++, n++) {
                t[n] = arrival;
                x[n] = words[k] >> 16 & 0x7FFF;
                y[n] = words[k] & 0x7FFF;
                p[n] = words[k] >> 15 & 1;
            }
        }
        events += (int64_t)n;
    }
}
