/* Event Stream (.es): a byte that says how long after the event before, then the event.
 *
 *             idle: time runs on by          an event: t, flags             then
 *   DVS       0xFF 127; 0xFE 0               7-1 t, 0 p                     x, y (16 bits each)
 *   ATIS      0xFC-0xFF 63 * bits 1-0        7-2 t, 1 p, 0 exposure         x, y
 *   colour    0xFF 254; 0xFE 0               7-0 t                          x, y, r, g, b */
#include "cpu.h"
#include "dispatch.h"
#include "kernels.h"

#include <string.h>

enum { DVS = 1, ATIS = 2, COLOUR = 4 };

#define LONGEST_STEP ((int64_t)1 << 34)     /* us: 135 MB of idle bytes */

/* What a kind does with the first byte. */
typedef struct {
    uint32_t idle;       /* this byte and those above it are no events */
    int shift;           /* bits of flags, below the time */
    int64_t step;        /* time of an idle byte, in each of the units in which it counts */
    size_t size;         /* of a record */
} layout;

AE_INLINE layout layout_of(int kind)
{
    if (kind == ATIS)
        return (layout){0xFC, 2, 63, 5};
    if (kind == DVS)
        return (layout){0xFE, 1, 127, 5};
    return (layout){0xFE, 0, 254, 8};
}

/* ---- reading ---------------------------------------------------------------------------------- */

AE_INLINE int64_t record(const uint8_t *data, int64_t time, uint32_t top, layout at, size_t n,
                         ae_columns *out, uint8_t *rgb)
{
    time += *data >> at.shift;
    out->t[n] = time;
    out->x[n] = (uint16_t)ae_load16(data + 1);
    out->y[n] = (uint16_t)(top ? top - 1 - ae_load16(data + 3) : ae_load16(data + 3));
    out->p[n] = *data & ((1 << at.shift) - 1);
    if (at.size == 8)
        memcpy(rgb + 3 * n, data + 5, 3);
    return time;
}

/* Appends the events of as many eights of records as follow each other from `data` on, without an
 * idle byte between, and have room; returns how many. */
typedef size_t eights_of(const uint8_t *data, size_t length, layout at, uint32_t top, int64_t time,
                         size_t n, size_t limit, ae_columns *out, uint8_t *rgb);

AE_INLINE size_t eights_base(const uint8_t *data, size_t length, layout at, uint32_t top,
                             int64_t time, size_t n, size_t limit, ae_columns *out, uint8_t *rgb)
{
    size_t eights = 0;
    for (; length >= 8 * at.size && n + 8 <= limit; eights++, length -= 8 * at.size) {
        uint32_t idle = 0;
        for (size_t j = 0; j < 8; j++)
            idle |= data[at.size * j] >= at.idle;
        if (idle)
            break;
        for (size_t j = 0; j < 8; j++, data += at.size, n++)
            time = record(data, time, top, at, n, out, rgb);
    }
    return eights;
}

#if AE_X86

AE_INLINE __m128i load16(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* Records of five bytes: in each half of a register four, of which the last sticks out of the 16
 * bytes from the first on and is taken from 16 that begin four bytes later. Times are sums: of all
 * before in the register, by shifts of one, two and four places. */
AE_V3 AE_INLINE size_t eights_v3(const uint8_t *data, size_t length, layout at, uint32_t top,
                                 int64_t time, size_t n, size_t limit, ae_columns *out,
                                 uint8_t *rgb)
{
    if (at.size != 5)
        return eights_base(data, length, at, top, time, n, limit, out, rgb);
    const __m256i three = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, 2, 6, 7, 11, 12, -1, -1, 3, 4, 8, 9, 13, 14, -1, -1));
    const __m256i fourth = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(-1, -1, -1, -1, -1, -1, 12, 13, -1, -1, -1, -1, -1, -1, 14, 15));
    const __m128i heads = _mm_setr_epi8(0, 5, 10, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m128i upside = _mm_set1_epi16(top ? -1 : 0), base = _mm_set1_epi16((int16_t)top);
    const __m128i flags = _mm_set1_epi8((char)((1 << at.shift) - 1));
    const __m128i most = _mm_set1_epi8((char)(at.idle - 1));
    const __m128i shift = _mm_cvtsi32_si128(at.shift);
    size_t eights = 0;
    for (; length >= 40 && n + 8 <= limit; eights++, length -= 40, data += 40, n += 8) {
        __m128i a = load16(data), b = load16(data + 20);
        __m128i head = _mm_unpacklo_epi32(_mm_shuffle_epi8(a, heads), _mm_shuffle_epi8(b, heads));
        if (_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(head, most), most)) != 0xFFFF)
            break;
        __m256i first = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
        __m256i later = _mm256_inserti128_si256(_mm256_castsi128_si256(load16(data + 4)),
                                                load16(data + 24), 1);
        __m256i both = _mm256_or_si256(_mm256_shuffle_epi8(first, three),
                                       _mm256_shuffle_epi8(later, fourth));
        both = _mm256_permute4x64_epi64(both, 0xD8);
        __m128i y = _mm_xor_si128(_mm256_extracti128_si256(both, 1), upside);
        _mm_storeu_si128((void *)(out->x + n), _mm256_castsi256_si128(both));
        _mm_storeu_si128((void *)(out->y + n), _mm_add_epi16(y, base));
        _mm_storel_epi64((void *)(out->p + n), _mm_and_si128(head, flags));

        __m128i t = _mm_srl_epi16(_mm_cvtepu8_epi16(head), shift);
        t = _mm_add_epi16(t, _mm_slli_si128(t, 2));
        t = _mm_add_epi16(t, _mm_slli_si128(t, 4));
        t = _mm_add_epi16(t, _mm_slli_si128(t, 8));
        const __m256i now = _mm256_set1_epi64x(time);
        __m256i t0 = _mm256_cvtepu16_epi64(t), t1 = _mm256_cvtepu16_epi64(_mm_srli_si128(t, 8));
        _mm256_storeu_si256((void *)(out->t + n), _mm256_add_epi64(now, t0));
        _mm256_storeu_si256((void *)(out->t + n + 4), _mm256_add_epi64(now, t1));
        time += _mm_extract_epi16(t, 7);
    }
    return eights;
}
#endif

AE_INLINE size_t decode(const uint8_t *data, size_t length, int kind, eights_of *eights,
                        ae_es *state, ae_columns *to, uint8_t *rgb)
{
    const layout at = layout_of(kind);
    const uint32_t top = (uint32_t)state->height;
    ae_columns out = *to;
    size_t i = 0, n = out.n, limit = out.capacity - AE_SLACK;
    size_t quick = 0;                     /* where to try eights again */
    int64_t time = state->time;
    while (i < length && n <= limit) {
        if (i >= quick) {
            size_t count = eights(data + i, length - i, at, top, time, n, limit, &out, rgb);
            i += count * 8 * at.size, n += count * 8;
            time = count ? out.t[n - 1] : time;
            quick = i + 1;
        } else if (data[i] >= at.idle) {
            time += at.step * (kind == ATIS ? data[i] & 3 : data[i] & 1);
            i++;
        } else if (length - i >= at.size) {
            time = record(data + i, time, top, at, n, &out, rgb);
            i += at.size, n++;
        } else {
            break;
        }
    }
    to->n = n;
    state->time = time;
    return i;
}

AE_INLINE size_t decode_with(eights_of *eights, const uint8_t *data, size_t length, ae_es *state,
                             ae_columns *out, uint8_t *rgb)
{
    switch (state->kind) {
    case DVS:
        return decode(data, length, DVS, eights, state, out, rgb);
    case ATIS:
        return decode(data, length, ATIS, eights, state, out, rgb);
    case COLOUR:
        return rgb ? decode(data, length, COLOUR, eights, state, out, rgb) : 0;
    default:
        return 0;
    }
}

static size_t decode_base(const uint8_t *data, size_t length, ae_es *state, ae_columns *out,
                          uint8_t *rgb)
{
    return decode_with(eights_base, data, length, state, out, rgb);
}

#if AE_X86

AE_V3 static size_t decode_v3(const uint8_t *data, size_t length, ae_es *state, ae_columns *out,
                              uint8_t *rgb)
{
    return decode_with(eights_v3, data, length, state, out, rgb);
}
#endif

static size_t (*decode_body)(const uint8_t *, size_t, ae_es *, ae_columns *,
                             uint8_t *) = decode_base;

void ae_es_select(int level)
{
    decode_body = decode_base;
#if AE_X86
    if (level >= 3)
        decode_body = decode_v3;
#else
    (void)level;
#endif
}

size_t ae_es_decode(const uint8_t *data, size_t length, ae_es *state, ae_columns *out, uint8_t *rgb)
{
    return out->capacity < AE_SLACK ? 0 : decode_body(data, length, state, out, rgb);
}

/* ---- writing ---------------------------------------------------------------------------------- */

/* Idle bytes until less than one is missing to time `t`, as room allows. */
AE_INLINE uint8_t *write_idle(uint8_t *out, const uint8_t *end, int64_t t, int kind, ae_es *state)
{
    const int64_t step = layout_of(kind).step;
    while (t - state->time >= step && out < end) {
        int64_t units = (t - state->time) / step;
        int64_t most = kind == ATIS ? 3 : 1;
        units = units < most ? units : most;
        *out++ = kind == ATIS ? (uint8_t)(0xFC | units) : 0xFF;
        state->time += step * units;
    }
    return out;
}

AE_INLINE int refused(const ae_columns *in, size_t k, const ae_es *state)
{
    return in->x[k] >= state->width || in->y[k] >= state->height || in->t[k] < state->time ||
           (uint64_t)in->t[k] - (uint64_t)state->time > (uint64_t)LONGEST_STEP;
}

/* Writes the events that follow each other without an idle byte between, which are most, and where
 * a whole record and more has room. Returns the end of what it wrote. */
AE_INLINE uint8_t *write_close(uint8_t *out, const uint8_t *end, const ae_columns *columns,
                               const uint8_t *rgb, int kind, ae_es *state)
{
    const layout at = layout_of(kind);
    const ae_columns in = *columns;
    const uint32_t flags = (1u << at.shift) - 1, width = (uint32_t)state->width;
    const uint32_t height = (uint32_t)state->height;
    int64_t time = state->time;
    size_t k = (size_t)state->next;
    for (; k < in.n && end - out >= AE_ES_RECORD; k++) {
        uint64_t gap = (uint64_t)in.t[k] - (uint64_t)time;
        uint32_t x = in.x[k], y = in.y[k];
        if (gap >= (uint64_t)at.step || x >= width || y >= height)
            break;
        uint32_t head = (uint32_t)gap << at.shift | (in.p[k] & flags);
        ae_store32(out, head | x << 8 | (height - 1 - y) << 24);
        out[4] = (uint8_t)((height - 1 - y) >> 8);
        if (kind == COLOUR)
            memcpy(out + 5, rgb + 3 * k, 3);
        out += at.size;
        time = in.t[k];
    }
    state->time = time;
    state->next = (int64_t)k;
    return out;
}

AE_INLINE size_t encode(const ae_columns *in, const uint8_t *rgb, int kind, ae_es *state,
                        uint8_t *out, size_t capacity)
{
    const uint8_t *end = out + capacity;
    uint8_t *cursor = out;
    for (;;) {
        cursor = write_close(cursor, end, in, rgb, kind, state);
        size_t k = (size_t)state->next;
        state->refused = k < in->n && refused(in, k, state);
        if (k == in->n || state->refused || end - cursor < AE_ES_RECORD)
            break;
        cursor = write_idle(cursor, end, in->t[k], kind, state);
    }
    return (size_t)(cursor - out);
}

size_t ae_es_encode(const ae_columns *in, const uint8_t *rgb, ae_es *state, uint8_t *out,
                    size_t capacity)
{
    state->refused = 0;
    if (state->next < 0)
        return 0;
    switch (state->kind) {
    case DVS:
        return encode(in, rgb, DVS, state, out, capacity);
    case ATIS:
        return encode(in, rgb, ATIS, state, out, capacity);
    case COLOUR:
        return rgb ? encode(in, rgb, COLOUR, state, out, capacity) : 0;
    default:
        return 0;
    }
}
