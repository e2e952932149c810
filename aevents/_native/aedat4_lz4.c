/* AEDAT4 whose packets are LZ4 frames as liblz4 and dv-processing write them, unpacked and read
 * while they are in the cache.
 *
 *   u32 magic, u8 flags: version 1, whether blocks refer to each other, no sums, u8 blocks of at
 *   most 64 KiB, u8 check of these two; blocks: u32 size (bit 31: not packed), so many bytes; u32 0
 *   block: sequences of u8 token, literals, u16 distance back to a match; the last has literals only
 *
 * Events repeat what stands a few bytes back, so each copy waits until the one before it has reached
 * the cache. Two packets that take turns wait half as long. Specified in lz4_Frame_format.md and
 * lz4_Block_format.md of LZ4. */
#include "aedat4.h"
#include "cpu.h"
#include "kernels.h"
#include <string.h>

enum {
    BLOCK = 65536,
    LONG = 15,                    /* in a token: the length goes on in the bytes that follow */
    LEAST = 4,                    /* bytes of a match */
    QUICK_IN = 18, QUICK_OUT = 30 /* what a quick sequence reads and writes, at most */
};
static const uint8_t linked[7] = {0x04, 0x22, 0x4D, 0x18, 0x40, 0x40, 0xC0};
static const uint8_t separate[7] = {0x04, 0x22, 0x4D, 0x18, 0x60, 0x40, 0x82};
enum {
    MAGIC = 4,
    HEAD = AE_PACKET + sizeof linked,
    BEGIN = HEAD + 4 + 2 /* the first literals, behind size of the block, token, and its length */
};

#define FEW 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1
/* Tokens of more than 14 literals, or of a match over 16 bytes. */
static const uint8_t odd[256] = {FEW, FEW, FEW, FEW, FEW, FEW, FEW, FEW, FEW, FEW, FEW, FEW, FEW,
                                 FEW, FEW, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

/* A packet that is being unpacked. */
typedef struct {
    const uint8_t *in;
    const uint8_t *block_end;
    const uint8_t *end;
    uint8_t *out;
    uint8_t *block;               /* where what this block holds begins */
    uint8_t *window;              /* where what matches refer to does */
    uint8_t *base;
    uint8_t *limit;
    const uint8_t *head;          /* what it should begin with */
    size_t events;
    int linked, running, whole;
} lane;

AE_INLINE size_t left(const uint8_t *at, const uint8_t *end)
{
    return (size_t)(end - at);
}

/* Go on to the next block that is packed, if there is one. */
static void open_block(lane *a)
{
    a->running = 0;
    while (left(a->in, a->end) >= 4) {
        uint32_t word = ae_load32(a->in), size = word & 0x7FFFFFFF;
        a->in += 4;
        if (!word) {
            a->whole = a->in == a->end;
            return;
        }
        if (size > BLOCK || size > left(a->in, a->end))
            return;
        a->block = a->out;
        a->window = a->linked ? a->base : a->out;
        a->block_end = a->in + size;
        if (word == size) {
            a->running = 1;
            return;
        }
        if (size > left(a->out, a->limit))
            return;
        memcpy(a->out, a->in, size);
        a->out += size;
        a->in += size;
    }
}

/* Add what follows a length that is LONG; false if it does not end. */
AE_INLINE int lengthen(size_t *length, const uint8_t **in, const uint8_t *end)
{
    uint8_t more;
    if (*length < LONG)
        return 1;
    do {
        if (*in == end)
            return 0;
        more = *(*in)++;
        *length += more;
    } while (more == 255);
    return 1;
}

/* Take the next sequence, whatever it is. */
static void step(lane *a)
{
    const uint8_t *in = a->in, *end = a->block_end;
    a->running = 0;
    if (in == end)
        return;
    uint32_t token = *in++;
    size_t literals = token >> 4, match = token & 15;
    if (!lengthen(&literals, &in, end) || literals > left(in, end) ||
        literals > left(a->out, a->limit))
        return;
    memcpy(a->out, in, literals);
    a->out += literals;
    in += literals;
    if (in == end) {
        a->in = in;
        if (left(a->block, a->out) <= BLOCK)
            open_block(a);
        return;
    }
    if (left(in, end) < 2)
        return;
    size_t distance = ae_load16(in);
    in += 2;
    if (!lengthen(&match, &in, end) || !distance || distance > left(a->window, a->out) ||
        match + LEAST > left(a->out, a->limit))
        return;
    for (match += LEAST; match > distance; distance *= 2) { /* a pattern that is repeated */
        memcpy(a->out, a->out - distance, distance);
        a->out += distance;
        match -= distance;
    }
    memcpy(a->out, a->out - distance, match);
    a->out += match;
    a->in = in;
    a->running = 1;
}

/* How many quick sequences there is room for. */
static size_t room_for(const lane *a)
{
    size_t in = left(a->in, a->block_end) / QUICK_IN;
    size_t out = left(a->out, a->limit) / QUICK_OUT;
    return in < out ? in : out;
}

/* Take the next sequence if it is short, as most are; write more than it holds. */
AE_INLINE int quick(const uint8_t **in, uint8_t *window, size_t *at)
{
    size_t token = **in, literals = token >> 4, distance = ae_load16(*in + 1 + literals);
    size_t to = *at + literals, from = to - distance;
    if (__builtin_expect(odd[token] || distance < 8 || distance > to, 0))
        return 0;
    memcpy(window + *at, *in + 1, 16);
    memcpy(window + to, window + from, 8);
    memcpy(window + to + 8, window + from + 8, 8);
    *in += literals + 3;
    *at = to + (token & 15) + LEAST;
    return 1;
}

static void unpack_one(lane *a)
{
    while (a->running) {
        const uint8_t *in = a->in;
        size_t at = left(a->window, a->out);
        for (size_t n = room_for(a); n && quick(&in, a->window, &at); n--)
            ;
        a->in = in;
        a->out = a->window + at;
        step(a);
    }
}

static void unpack_two(lane *a, lane *b)
{
    while (a->running && b->running) {
        const uint8_t *a_in = a->in, *b_in = b->in;
        uint8_t *a_window = a->window, *b_window = b->window;
        size_t a_at = left(a_window, a->out), b_at = left(b_window, b->out);
        size_t n = room_for(a), m = room_for(b);
        for (n = n < m ? n : m; n; n--)
            if (!quick(&a_in, a_window, &a_at) || !quick(&b_in, b_window, &b_at))
                break;
        a->in = a_in;
        a->out = a_window + a_at;
        b->in = b_in;
        b->out = b_window + b_at;
        step(a);
        step(b);
    }
    unpack_one(a);
    unpack_one(b);
}

/* The length of the packet with this head; 0 if it is no LZ4 frame. */
AE_INLINE size_t packet_length(const uint8_t *data, size_t length)
{
    if (length < AE_PACKET + MAGIC || ae_load32(data) > INT32_MAX ||
        ae_load32(data + 4) > AE_AEDAT4_MOST || memcmp(data + AE_PACKET, linked, MAGIC))
        return 0;
    return AE_PACKET + ae_load32(data + 4);
}

/* Begin with the packet that stands here, into `size` bytes at `out`; return its length, 0 if it is
 * not all there, not followed by another, of another form, or does not fit. How long it gets is told
 * by its beginning, which cannot be a match, and so is legible. */
static size_t begin(lane *a, const uint8_t *data, size_t length, int64_t stream, uint8_t *out,
                    size_t size)
{
    size_t whole = packet_length(data, length);
    if (whole < BEGIN + AE_EVENTS || whole > length || ae_load32(data) != stream ||
        !packet_length(data + whole, length - whole))
        return 0;
    const uint8_t *head = data + BEGIN;
    uint64_t unpacked = (uint64_t)ae_load32(head) + 4, events = ae_load32(head + AE_EVENTS - 4);
    uint64_t least = AE_EVENTS + 16 * events;
    int joined = !memcmp(data + AE_PACKET, linked, sizeof linked);
    if ((!joined && memcmp(data + AE_PACKET, separate, sizeof separate)) ||
        memcmp(head + 4, ae_before_events, sizeof ae_before_events) || unpacked < least ||
        unpacked >= least + 16 || unpacked > size)
        return 0;
    *a = (lane){.in = data + HEAD, .end = data + whole, .out = out, .base = out,
                .limit = out + unpacked, .head = head, .events = events, .linked = joined};
    open_block(a);
    return whole;
}

/* Append the events of a packet that has been unpacked; false if it or its times are odd. */
static int append(const lane *a, ae_aedat *state, ae_columns *out)
{
    size_t n = out->n;
    ae_aedat before = *state;
    if (!a->whole || a->out != a->limit || memcmp(a->base, a->head, AE_EVENTS))
        return 0;
    if (ae_aedat4_decode(a->base + AE_EVENTS, a->events, state, out) == a->events)
        return 1;
    *state = before;
    out->n = n;
    return 0;
}

size_t ae_aedat4_lz4(const uint8_t *data, size_t length, int64_t stream, ae_aedat *state,
                     ae_columns *out, uint8_t *room, size_t size)
{
    size_t at = 0;
    for (;;) {
        lane a, b;
        size_t first = begin(&a, data + at, length - at, stream, room, size / 2), second = 0;
        if (!first || a.events > out->capacity - out->n)
            return at;
        size_t then = at + first;
        second = begin(&b, data + then, length - then, stream, room + size / 2, size / 2);
        if (second && a.events + b.events > out->capacity - out->n)
            second = 0;
        if (second)
            unpack_two(&a, &b);
        else
            unpack_one(&a);
        if (!append(&a, state, out))
            return at;
        at += first;
        if (!second || !append(&b, state, out))
            return at;
        at += second;
    }
}
