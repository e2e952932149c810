/* ECF, Prophesee's filter for events in HDF5: a chunk is packed column by column.
 *
 *   u32         number of events << 2 | rows, columns and polarities in one << 1 | columns and
 *               polarities in one
 *   times       u64 the first; then bytes 7-4 step, 3-0 events: a step of 15 says that bits 3-0 are
 *               part of a longer one, lowest first; 15 events say that a u16 with their number follows
 *   all in one  four events in three u32: row << 12 | column << 1 | polarity, 24 bits each
 *   rows        u16 15-5 row, 4-0 events: 31 say that a u16 follows
 *   columns with polarities   four events in three u16: column << 1 | polarity, 12 bits each
 *   columns     u16 15-5 column, 4-0 which of the five columns after it have an event too
 *   polarities  bytes 7 polarity, 6-0 events: 127 say that a u16 follows */
#include "cpu.h"
#include "kernels.h"

#include <string.h>

enum { COLUMNS_PACKED = 1, ALL_PACKED = 2 };

#define MOST_EVENTS 65535
#define SIDE 2048            /* columns and rows have 11 bits */

AE_INLINE uint64_t load64(const uint8_t *bytes)
{
    return ae_load32(bytes) | (uint64_t)ae_load32(bytes + 4) << 32;
}

/* ---- reading: each returns where it ended, NULL where the chunk is damaged --------------------- */

/* `run`, or the u16 that follows if it is the `longest`; NULL at the end of the chunk. */
AE_INLINE const uint8_t *run_of(const uint8_t *data, const uint8_t *end, size_t longest,
                                size_t *run)
{
    if (*run < longest)
        return data;
    if (end - data < 2)
        return NULL;
    *run = ae_load16(data);
    return data + 2;
}

static const uint8_t *read_times(const uint8_t *data, const uint8_t *end, int64_t *t, size_t n)
{
    if (end - data < 8)
        return NULL;
    uint64_t time = load64(data);
    size_t done = 0;
    data += 8;
    while (done < n) {
        if (data == end)
            return NULL;
        uint32_t byte = *data++;
        for (int shift = 0; byte >= 0xF0; shift += 4) {
            if (data == end || shift > 60)
                return NULL;
            time += (uint64_t)(byte & 15) << shift;
            byte = *data++;
        }
        time += byte >> 4;
        size_t run = byte & 15;
        data = run_of(data, end, 15, &run);
        if (!data || run > n - done)
            return NULL;
        for (size_t i = 0; i < (run < 16 ? 16 : run); i++)
            t[done + i] = (int64_t)time;
        done += run;
    }
    return data;
}

static const uint8_t *read_packed(const uint8_t *data, const uint8_t *end, ae_columns *out,
                                  size_t n)
{
    size_t groups = (n + 3) / 4;
    if ((size_t)(end - data) < 12 * groups)
        return NULL;
    uint16_t *x = out->x + out->n, *y = out->y + out->n;
    uint8_t *p = out->p + out->n;
    for (size_t i = 0; i < groups; i++) {
        uint32_t a = ae_load32(data + 12 * i), b = ae_load32(data + 12 * i + 4),
                 c = ae_load32(data + 12 * i + 8);
        uint32_t event[4] = {a >> 8, (a & 0xFF) | b >> 16 << 8, (b & 0xFFFF) | c >> 24 << 16,
                             c & 0xFFFFFF};
        for (size_t j = 0; j < 4; j++) {
            y[4 * i + j] = (uint16_t)(event[j] >> 12);
            x[4 * i + j] = event[j] >> 1 & 0x7FF;
            p[4 * i + j] = event[j] & 1;
        }
    }
    return data + 12 * groups;
}

static const uint8_t *read_rows(const uint8_t *data, const uint8_t *end, uint16_t *y, size_t n)
{
    for (size_t done = 0; done < n;) {
        if (end - data < 2)
            return NULL;
        uint32_t word = ae_load16(data);
        size_t run = word & 31;
        data = run_of(data + 2, end, 31, &run);
        if (!data || run > n - done)
            return NULL;
        for (size_t i = 0; i < (run < 8 ? 8 : run); i++)
            y[done + i] = (uint16_t)(word >> 5);
        done += run;
    }
    return data;
}

static const uint8_t *read_packed_columns(const uint8_t *data, const uint8_t *end, uint16_t *x,
                                          uint8_t *p, size_t n)
{
    size_t groups = (n + 3) / 4;
    if ((size_t)(end - data) < 6 * groups)
        return NULL;
    for (size_t i = 0; i < groups; i++) {
        uint32_t a = ae_load16(data + 6 * i), b = ae_load16(data + 6 * i + 2),
                 c = ae_load16(data + 6 * i + 4);
        uint32_t event[4] = {a >> 4, (a & 15) | b >> 8 << 4, (b & 0xFF) | c >> 12 << 8, c & 0xFFF};
        for (size_t j = 0; j < 4; j++) {
            x[4 * i + j] = (uint16_t)(event[j] >> 1);
            p[4 * i + j] = event[j] & 1;
        }
    }
    return data + 6 * groups;
}

/* The last word may mean up to five events too many: they go into the slack. */
static const uint8_t *read_columns(const uint8_t *data, const uint8_t *end, uint16_t *x, size_t n)
{
    for (size_t done = 0; done < n;) {
        if (end - data < 2)
            return NULL;
        uint32_t word = ae_load16(data);
        data += 2;
        x[done++] = (uint16_t)(word >> 5);
        for (uint32_t j = 0; j < 5; j++) {
            x[done] = (uint16_t)((word >> 5) + 1 + j);
            done += word >> (4 - j) & 1;
        }
    }
    return data;
}

static const uint8_t *read_polarities(const uint8_t *data, const uint8_t *end, uint8_t *p, size_t n)
{
    for (size_t done = 0; done < n;) {
        if (data == end)
            return NULL;
        uint32_t byte = *data++;
        size_t run = byte & 127;
        data = run_of(data, end, 127, &run);
        if (!data || run > n - done)
            return NULL;
        memset(p + done, byte >> 7, run < 16 ? 16 : run);
        done += run;
    }
    return data;
}

int ae_ecf_decode(const uint8_t *data, size_t length, ae_columns *out)
{
    if (length < 4)
        return 0;
    const uint32_t head = ae_load32(data);
    const size_t n = head >> 2;
    if (n > MOST_EVENTS || out->capacity < out->n + n + AE_SLACK)
        return 0;
    const uint8_t *end = data + length;
    data = read_times(data + 4, end, out->t + out->n, n);
    if (data && head & ALL_PACKED) {
        data = read_packed(data, end, out, n);
    } else if (data) {
        data = read_rows(data, end, out->y + out->n, n);
        if (data && head & COLUMNS_PACKED)
            data = read_packed_columns(data, end, out->x + out->n, out->p + out->n, n);
        else if (data)
            data = read_columns(data, end, out->x + out->n, n);
        if (data && !(head & COLUMNS_PACKED))
            data = read_polarities(data, end, out->p + out->n, n);
    }
    out->n += data ? n : 0;
    return data != NULL;
}

/* ---- writing ---------------------------------------------------------------------------------- */

static int fits(const ae_columns *in)
{
    uint32_t beyond = 0;
    int backward = 0;
    for (size_t i = 0; i < in->n; i++)
        beyond |= in->x[i] | in->y[i];
    for (size_t i = 1; i < in->n; i++)
        backward |= in->t[i] < in->t[i - 1];
    return in->n <= MOST_EVENTS && beyond < SIDE && !backward;
}

static uint8_t *write_times(const ae_columns *in, uint8_t *out)
{
    uint64_t time = in->n ? (uint64_t)in->t[0] : 0;
    out = ae_store32(ae_store32(out, (uint32_t)time), (uint32_t)(time >> 32));
    for (size_t i = 0, next; i < in->n; i = next) {
        for (next = i + 1; next < in->n && in->t[next] == in->t[i];)
            next++;
        uint64_t step = (uint64_t)in->t[i] - time;
        time += step;
        for (uint64_t rest = step < 15 ? 0 : step; rest; rest >>= 4)
            *out++ = (uint8_t)(0xF0 | (rest & 15));
        size_t run = next - i;
        *out++ = (uint8_t)((step < 15 ? step : 0) << 4 | (run < 15 ? run : 15));
        if (run >= 15)
            out = ae_store16(out, (uint32_t)run);
    }
    return out;
}

static uint8_t *write_packed(const ae_columns *in, uint8_t *out)
{
    for (size_t i = 0; i < in->n; i += 4) {
        uint32_t event[4] = {0};
        for (size_t j = 0; j < 4 && i + j < in->n; j++)
            event[j] = (uint32_t)in->y[i + j] << 12 | (uint32_t)in->x[i + j] << 1 | in->p[i + j];
        out = ae_store32(out, event[0] << 8 | (event[1] & 0xFF));
        out = ae_store32(out, event[1] >> 8 << 16 | (event[2] & 0xFFFF));
        out = ae_store32(out, event[2] >> 16 << 24 | event[3]);
    }
    return out;
}

static uint8_t *write_rows(const ae_columns *in, uint8_t *out)
{
    for (size_t i = 0, next; i < in->n; i = next) {
        for (next = i + 1; next < in->n && in->y[next] == in->y[i];)
            next++;
        size_t run = next - i;
        out = ae_store16(out, (uint32_t)(in->y[i] << 5 | (run < 31 ? run : 31)));
        if (run >= 31)
            out = ae_store16(out, (uint32_t)run);
    }
    return out;
}

static uint8_t *write_packed_columns(const ae_columns *in, uint8_t *out)
{
    for (size_t i = 0; i < in->n; i += 4) {
        uint32_t event[4] = {0};
        for (size_t j = 0; j < 4 && i + j < in->n; j++)
            event[j] = (uint32_t)in->x[i + j] << 1 | in->p[i + j];
        out = ae_store16(out, event[0] << 4 | (event[1] & 15));
        out = ae_store16(out, event[1] >> 4 << 8 | (event[2] & 0xFF));
        out = ae_store16(out, event[2] >> 8 << 12 | event[3]);
    }
    return out;
}

static uint8_t *write_columns(const ae_columns *in, uint8_t *out)
{
    const uint16_t *x = in->x;
    for (size_t i = 0, next; i < in->n; i = next) {
        uint32_t mask = 0;
        for (next = i + 1; next < in->n && x[next] > x[next - 1] && x[next] <= x[i] + 5; next++)
            mask |= 1u << (5 - (x[next] - x[i]));
        out = ae_store16(out, (uint32_t)x[i] << 5 | mask);
    }
    return out;
}

static uint8_t *write_polarities(const ae_columns *in, uint8_t *out)
{
    for (size_t i = 0, next; i < in->n; i = next) {
        for (next = i + 1; next < in->n && in->p[next] == in->p[i];)
            next++;
        size_t run = next - i;
        *out++ = (uint8_t)(in->p[i] << 7 | (run < 127 ? run : 127));
        if (run >= 127)
            out = ae_store16(out, (uint32_t)run);
    }
    return out;
}

/* Writes the layouts over each other, until the shortest stands. */
size_t ae_ecf_encode(const ae_columns *in, uint8_t *out, size_t capacity)
{
    if (!fits(in) || capacity < AE_ECF_ROOM * (in->n + 4))
        return 0;
    uint8_t *start = write_times(in, out + 4);
    size_t groups = (in->n + 3) / 4;
    uint32_t layout = 0;
    uint8_t *rows = write_rows(in, start);
    uint8_t *end = write_polarities(in, write_columns(in, rows));
    if ((size_t)(end - rows) > 6 * groups) {
        layout = COLUMNS_PACKED;
        end = write_packed_columns(in, rows);
    }
    if ((size_t)(end - start) > 12 * groups) {
        layout = ALL_PACKED;
        end = write_packed(in, start);
    }
    ae_store32(out, (uint32_t)(in->n << 2) | layout);
    return (size_t)(end - out);
}
