/* Many datagrams in one call of the system: recvmmsg and sendmmsg, of Linux. */
#define _GNU_SOURCE
#include "cpu.h"
#include "kernels.h"

#include <errno.h>

#ifdef __linux__

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#ifndef UDP_GRO
#define UDP_GRO 104                     /* of linux/udp.h, since Linux 5.0 */
#endif

enum { AT_ONCE = 16, SENT_AT_ONCE = 64 };

/* How long each datagram of a message is that the kernel has put together from several (UDP_GRO). */
static uint32_t segment_of(struct msghdr *message, uint32_t length)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        int size;
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            memcpy(&size, CMSG_DATA(c), sizeof size);
            return size > 0 ? (uint32_t)size : length;
        }
    }
    return length;
}

/* One call: up to AT_ONCE messages behind those that have come. Returns their number, or -errno. */
static int receive_some(int file, ae_datagrams *into, size_t *bytes)
{
    struct mmsghdr messages[AT_ONCE];
    struct iovec places[AT_ONCE];
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control[AT_ONCE];
    size_t room = into->capacity - into->count;
    unsigned count = room < AT_ONCE ? (unsigned)room : AT_ONCE;
    memset(messages, 0, count * sizeof *messages);
    for (unsigned i = 0; i < count; i++) {
        places[i].iov_base = into->data + (into->count + i) * AE_MESSAGE_STRIDE;
        places[i].iov_len = AE_MESSAGE_BYTES;
        messages[i].msg_hdr.msg_iov = places + i;
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_control = control + i;
        messages[i].msg_hdr.msg_controllen = sizeof control[i].bytes;
    }
    int got = recvmmsg(file, messages, count, MSG_DONTWAIT, NULL);
    if (got < 0)
        return -errno;
    for (int i = 0; i < got; i++) {
        uint32_t length = messages[i].msg_len;
        into->length[into->count] = length;
        into->segment[into->count++] = segment_of(&messages[i].msg_hdr, length);
        *bytes += length;
    }
    return got;
}

int ae_datagrams_receive(int file, ae_datagrams *into, size_t most)
{
    size_t bytes = 0;
    into->count = 0;
    while (into->count < into->capacity && bytes < most) {
        int got = receive_some(file, into, &bytes);
        if (got < 0 && !into->count && got != -EAGAIN && got != -EWOULDBLOCK)
            return got;
        if (got < AT_ONCE)
            break;
    }
    return (int)into->count;
}

int ae_datagrams_send(int file, const uint8_t *data, size_t length, size_t segment)
{
    struct mmsghdr messages[SENT_AT_ONCE];
    struct iovec places[SENT_AT_ONCE];
    unsigned count = 0;
    memset(messages, 0, sizeof messages);
    for (size_t at = 0; at < length && count < SENT_AT_ONCE; at += segment, count++) {
        places[count].iov_base = (void *)(uintptr_t)(data + at);
        places[count].iov_len = length - at < segment ? length - at : segment;
        messages[count].msg_hdr.msg_iov = places + count;
        messages[count].msg_hdr.msg_iovlen = 1;
    }
    int gone = sendmmsg(file, messages, count, MSG_DONTWAIT);
    return gone < 0 ? -errno : gone;
}

#else

int ae_datagrams_receive(int file, ae_datagrams *into, size_t most)
{
    (void)file, (void)into, (void)most;
    return -ENOSYS;
}

int ae_datagrams_send(int file, const uint8_t *data, size_t length, size_t segment)
{
    (void)file, (void)data, (void)length, (void)segment;
    return -ENOSYS;
}

#endif
