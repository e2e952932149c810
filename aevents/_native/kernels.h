/* Every kernel of aevents. Pure functions over memory that the caller owns: no allocation, no
 * globals but the dispatch table, no callbacks, no Python.
 *
 * Common rules. A kernel never writes outside the lengths it is given, whatever the input. Bytes
 * are read with unaligned little-endian loads. Times are microseconds in int64. */
#ifndef AEVENTS_KERNELS_H
#define AEVENTS_KERNELS_H
#include <stddef.h>
#include <stdint.h>
#include "emulate.h"

/* Slots past the last good event that a decoder may scribble on; out->capacity must allow for it. */
#define AE_SLACK 64

/* The columns that a decoder appends to. `n` events and `triggers` triggers are valid on return;
 * slots from there to the capacity may hold rubbish. */
typedef struct {
    int64_t *t;
    uint16_t *x;
    uint16_t *y;
    uint8_t *p;              /* 0 or 1 */
    size_t capacity;
    size_t n;
    int64_t *trigger_t;
    uint8_t *trigger_id;
    uint8_t *trigger_value;  /* 0 falling, 1 rising */
    size_t trigger_capacity;
    size_t triggers;
} ae_columns;

/* ---- dispatch.c: which instruction set the kernels use ---------------------------------------- */

int ae_cpu_level(void);       /* the best that this CPU has: 1 base, 3 AVX2, 4 AVX-512 with VBMI2 */
int ae_select(int level);     /* use at most this level and the CPU's; returns which */

/* ---- evt2.c, evt21.c, evt3.c, evt3_skip.c, evt4.c, dat.c: bit-packed words <-> columns -------- */

/* Decoders read whole words from `data`, append to `out`, and return how many words they consumed:
 * fewer than `words` once out->n is above out->capacity - AE_SLACK, or at a trigger without room.
 * State carries over from call to call, so that the input may be cut anywhere between words, and
 * every instruction set stops at the same word.
 * Encoders turn events [state->next, in->n) into bytes, return the bytes written, and leave in
 * state->next the first event not yet written: the output was full, or state->refused is set, as
 * the format cannot hold that event so that a decoder reads it back the same. They need room for 16
 * bytes to get on; what they write does not depend on the room they are given. */

typedef struct {              /* of a reader of EVT2, EVT2.1 or EVT4 */
    int64_t started;          /* a TIME_HIGH has been seen: words before it have no time */
    int64_t loop;             /* roll-overs of the clock so far, in us */
    int64_t high;             /* value of the last TIME_HIGH word */
    int64_t untimed;          /* events and triggers dropped: no TIME_HIGH had come before them */
    int64_t unknown;          /* words of a reserved type */
    int64_t legacy;           /* EVT2.1: the upper half of each word comes first */
    int64_t vector;           /* EVT4: a vector's first word while its mask is to come, else 0 */
} ae_evt2;

size_t ae_evt2_decode(const uint8_t *data, size_t words, ae_evt2 *state, ae_columns *out);
size_t ae_evt21_decode(const uint8_t *data, size_t words, ae_evt2 *state, ae_columns *out);
size_t ae_evt4_decode(const uint8_t *data, size_t words, ae_evt2 *state, ae_columns *out);

typedef struct {
    int64_t started;
    int64_t loop;
    int64_t high;             /* TIME_HIGH and TIME_LOW, 12 bits each */
    int64_t low;
    int64_t y;
    int64_t base_x;           /* of vectors: next x, and polarity */
    int64_t base_p;
    int64_t foreign;          /* 1 in a legacy "EM" row: X and vector words are no events */
    int64_t untimed;          /* events and triggers dropped: no TIME_HIGH had come before them */
    int64_t unknown;          /* words of a reserved type */
} ae_evt3;

size_t ae_evt3_decode(const uint8_t *data, size_t words, ae_evt3 *state, ae_columns *out);

/* Leaves `state` as decoding all these words would, but for what it counts. Returns how many of them
 * are TIME_HIGH; raises *latest to the latest time that an event among them may have. */
size_t ae_evt3_skip(const uint8_t *data, size_t words, ae_evt3 *state, int64_t *latest);

typedef struct {
    int64_t version;          /* 1 or 2 */
    int64_t triggers;         /* the records are external triggers, not events */
    int64_t loop;             /* roll-overs so far, in us */
    int64_t last;             /* the last 32-bit time */
} ae_dat;

size_t ae_dat_decode(const uint8_t *data, size_t records, ae_dat *state, ae_columns *out);

typedef struct {
    int64_t next;             /* first event not yet written */
    int64_t refused;          /* 1: event `next` does not fit the format (x, y or time) */
    int64_t started;          /* something has been written */
    int64_t time;             /* of the stream written so far, as a decoder would have it */
    int64_t y;                /* EVT3: row last written */
    int64_t width;            /* EVT3: of the sensor; vectors are written only if it is 32 or more */
    int64_t version;          /* DAT: 1 or 2 */
    int64_t legacy;           /* EVT2.1: the upper half of each word comes first */
} ae_encoder;

size_t ae_evt2_encode(const ae_columns *in, ae_encoder *state, uint8_t *out, size_t capacity);
size_t ae_evt21_encode(const ae_columns *in, ae_encoder *state, uint8_t *out, size_t capacity);
size_t ae_evt4_encode(const ae_columns *in, ae_encoder *state, uint8_t *out, size_t capacity);
size_t ae_evt3_encode(const ae_columns *in, ae_encoder *state, uint8_t *out, size_t capacity);
size_t ae_dat_encode(const ae_columns *in, ae_encoder *state, uint8_t *out, size_t capacity);

/* ---- ros.c: events in the messages of ROS ------------------------------------------------------ */

typedef struct {              /* of a reader of one message */
    int64_t aligned;          /* dvs: fields are aligned, as in CDR */
    int64_t begun;            /* dvs, aligned: the first record, which is shorter, has been read */
    int64_t base;             /* added to each time: mono in ns, 0 or more; libcaer, compact in us */
    int64_t last;             /* libcaer: the last 31-bit time; base counts its roll-overs */
    int64_t high;             /* compact: TIME_HIGH and TIME_LOW */
    int64_t low;
    int64_t x;
    int64_t y;                /* compact: of vectors: next y, and polarity */
    int64_t p;
    int64_t unknown;          /* compact: words of a reserved type */
} ae_ros;

/* As the decoders above; dvs takes and returns bytes, as its last aligned record is shorter. It
 * reads 2 bytes before `data` once it has begun. */
size_t ae_ros_dvs_decode(const uint8_t *data, size_t length, ae_ros *state, ae_columns *out);
size_t ae_ros_mono_decode(const uint8_t *data, size_t words, ae_ros *state, ae_columns *out);
size_t ae_ros_libcaer_decode(const uint8_t *data, size_t words, ae_ros *state, ae_columns *out);
size_t ae_ros_compact_decode(const uint8_t *data, size_t words, ae_ros *state, ae_columns *out);
/* ---- aedat.c: AEDAT, records <-> columns ------------------------------------------------------- */

#define AE_LEAP 65536         /* us: a time further than this from the one before it is doubtful */

typedef struct {
    int64_t started;          /* a record has been read: `last` means something */
    int64_t last;             /* time of the last record */
    int64_t wary;             /* stop at a record whose time leaps, not only where `out` is full */
    int64_t base;             /* 3.1: added to each time */
    int64_t invalid;          /* 3.1: events marked so, skipped */
    int64_t old;              /* 1.0: addresses have 16 bits */
    int64_t falls;            /* 1.0, 2.0: all edges do */
    int64_t x_shift;          /* 1.0, 2.0: where an address keeps x, which counts down from `right` */
    int64_t x_mask;
    int64_t y_shift;
    int64_t y_mask;
    int64_t right;
    int64_t bottom;
    int64_t polarity;         /* 1.0, 2.0: the bits of an address that are `on` in an ON event */
    int64_t on;
    int64_t other;            /* 1.0, 2.0: bits that are 0 in an event, and `input` in an edge */
    int64_t input;
} ae_aedat;

/* Append the events of whole records to those that `out` holds, and return how many records were
 * read: fewer than `records` where `out` is full, or, if `wary`, before a time that leaps. */
size_t ae_aedat2_decode(const uint8_t *data, size_t records, ae_aedat *state, ae_columns *out);
size_t ae_aedat3_decode(const uint8_t *data, size_t records, ae_aedat *state, ae_columns *out);
size_t ae_aedat4_decode(const uint8_t *data, size_t records, ae_aedat *state, ae_columns *out);

#define AE_AEDAT4_MOST 16777216   /* bytes in a packet of AEDAT4 */

/* Append the events of whole packets of this stream of AEDAT4, not packed, that hold nothing else,
 * and return how many bytes those took: up to a packet of another form, one that is not followed by
 * one of the form, one that has no room in `out`, or one with a record where `wary` stops. */
size_t ae_aedat4_packets(const uint8_t *data, size_t length, int64_t stream, ae_aedat *state,
                         ae_columns *out);

/* Likewise of packets that are LZ4 frames, each unpacked in half of the `size` bytes of `room`. */
size_t ae_aedat4_lz4(const uint8_t *data, size_t length, int64_t stream, ae_aedat *state,
                     ae_columns *out, uint8_t *room, size_t size);

/* Write n events as records of AEDAT4, 16 bytes each; widen `range`, the earliest and latest time. */
void ae_aedat4_encode(const int64_t *t, const uint16_t *x, const uint16_t *y, const uint8_t *p,
                      size_t n, uint8_t *out, int64_t *range);

/* ---- es.c: Event Stream (.es), bytes <-> columns ----------------------------------------------- */

#define AE_ES_RECORD 8        /* no record is longer */

typedef struct {
    int64_t kind;             /* as in the file: 1 DVS, 2 ATIS, 4 colour; others read as nothing */
    int64_t width;            /* encoder: of the sensor, bounds x */
    int64_t height;           /* y is turned upright: height - 1 - y; as it is if 0 (decoder) */
    int64_t time;             /* of the stream so far */
    int64_t next;             /* encoder: first event not yet written */
    int64_t refused;          /* encoder: 1: event `next` is off the sensor, or its time is before
                                 `time`, or more than 2^34 us after it */
} ae_es;

/* Append the events of whole records and return the bytes consumed: up to a record that is not
 * whole, or less once out->n is above out->capacity - AE_SLACK.
 * In `p` is the polarity of DVS events; of ATIS bit 0 is "exposure", bit 1 polarity; of colour 0.
 * `rgb` gets three bytes a colour event and has room for 3 * out->capacity; else it may be NULL. */
size_t ae_es_decode(const uint8_t *data, size_t length, ae_es *state, ae_columns *out,
                    uint8_t *rgb);

/* Write events [state->next, in->n), until one is refused or `out` is full. Returns the bytes
 * written; needs room for AE_ES_RECORD bytes to get on. `p` and `rgb` are as above. */
size_t ae_es_encode(const ae_columns *in, const uint8_t *rgb, ae_es *state, uint8_t *out,
                    size_t capacity);

/* ---- ecf.c: Prophesee's packed chunks in HDF5 files, bytes <-> columns ------------------------- */

#define AE_ECF_ROOM 24        /* bytes that the encoder asks for, an event and four times more */

/* Append the events of one chunk, whose first four bytes say how many there are, times 4. Returns 1;
 * or 0, and appends nothing, where the chunk is damaged, says more than 65535, or `out` has no room
 * for them and AE_SLACK. */
int ae_ecf_decode(const uint8_t *data, size_t length, ae_columns *out);

/* Write all events, p 0 or 1, as one chunk in the shortest layout. Returns the bytes written, at
 * most AE_ECF_ROOM * (in->n + 4): the capacity that it asks for; or 0 where there is less, or the
 * events do not fit: more than 65535 of them, x or y of 2048 or more, a time before the one in
 * front. */
size_t ae_ecf_encode(const ae_columns *in, uint8_t *out, size_t capacity);

/* ---- spif.c, datagrams.c: SPIF over UDP <-> columns -------------------------------------------- */

/* Message i begins at data + i * AE_MESSAGE_STRIDE and holds `length[i]` bytes, AE_MESSAGE_BYTES at
 * most: datagrams of `segment[i]` bytes, of which the last may be shorter. The stride is no power of
 * two, so that the messages do not fall on the same cache lines. */
#define AE_MESSAGE_BYTES 65536
#define AE_MESSAGE_STRIDE 66624

typedef struct {
    uint8_t *data;
    uint32_t *length;
    uint32_t *segment;
    size_t capacity;
    size_t count;             /* messages [0, count) have come */
} ae_datagrams;

typedef struct {              /* of a reader of SPIF */
    int64_t width;            /* of the sensor, 1 to 32768 */
    int64_t height;
    int64_t started;          /* an event with a timestamp has come */
    int64_t time;             /* of the last such event, in us */
    int64_t heard;            /* when it came */
    int64_t doubt;            /* the timestamp that the last datagram began with if it was absurd;
                                 else -1 */
    int64_t latest;           /* time of the last event: none without a timestamp is earlier */
    int64_t held;             /* 1 if `last` holds the datagram before, one of 256 bytes */
    int64_t off_sensor;       /* events dropped: off the sensor */
    int64_t absurd_times;     /* events dropped: far from the running time */
    int64_t time_jumps;       /* times that the running time was moved far */
    int64_t torn_bytes;       /* bytes dropped: no whole event */
    int64_t stale_bytes;      /* bytes dropped: what AEStream's last datagram has too much */
    uint8_t last[256];
} ae_spif;

/* Append the events of whole messages from `start` on, which came `arrival` us after the first
 * could, and return the message after the last one read: `in->count`, or less where the next might
 * not fit. Needs room for AE_MESSAGE_BYTES / 4 events to get on. */
size_t ae_spif_decode(const ae_datagrams *in, size_t start, int64_t arrival, ae_spif *state,
                      ae_columns *out);

/* Write 4 bytes an event, or 8 with timestamps, until one is not on a sensor of this size or, with
 * timestamps, before time 0. Returns how many are written. */
size_t ae_spif_encode(const ae_columns *in, int timestamps, int64_t width, int64_t height,
                      uint8_t *out);

/* The two calls of the system, of Linux only: elsewhere both return -ENOSYS (a negative number).
 * Take what has come to the socket `file`, without waiting: messages until `most` bytes are passed.
 * Returns their number, 0 if there are none, or -errno. */
int ae_datagrams_receive(int file, ae_datagrams *into, size_t most);
/* Send `length` bytes as datagrams of `segment` bytes, the last one perhaps shorter, without
 * waiting. Returns how many datagrams have gone, or -errno if none has. */
int ae_datagrams_send(int file, const uint8_t *data, size_t length, size_t segment);

/* ---- accumulate.c: counting events into a frame ---------------------------------------------- */

/* Count n events into `counts`, which has planes * width * height + 1 slots. One plane counts all
 * events; of two planes the first counts OFF (p == 0) and the second ON. Returns how many events
 * lie off the sensor: they are thrown into the extra last slot, so nothing outside is touched.
 * A narrow counter that wraps adds what it lost to `spill`, which has as many slots as `counts`;
 * the last slot of `spill` becomes non-zero as soon as anything has spilled.
 * width and height are at most 65535 and planes * width * height is below 2^31: otherwise nothing
 * is counted, and n is returned. */
size_t ae_accumulate_u8(uint8_t *counts, uint32_t *spill, const uint16_t *x, const uint16_t *y,
                        const uint8_t *p, size_t n, uint32_t width, uint32_t height,
                        uint32_t planes);
size_t ae_accumulate_u16(uint16_t *counts, uint32_t *spill, const uint16_t *x, const uint16_t *y,
                         const uint8_t *p, size_t n, uint32_t width, uint32_t height,
                         uint32_t planes);
size_t ae_accumulate_u32(uint32_t *counts, const uint16_t *x, const uint16_t *y, const uint8_t *p,
                         size_t n, uint32_t width, uint32_t height, uint32_t planes);

/* ---- surface.c: what the events of a pixel and polarity leave behind --------------------------- */

/* Tables have a cell for each pixel of two planes, OFF and ON, and one more, for events off the
 * sensor, of which there are as many as is returned. Sensors are those of accumulate.c. */

/* Set each cell to the time of its last event. */
size_t ae_last_times(int64_t *latest, const int64_t *t, const uint16_t *x, const uint16_t *y,
                 const uint8_t *p, size_t n, uint32_t width, uint32_t height);

/* As ae_last_times; each cell is the `depth` last times of its events, newest first. */
size_t ae_recent_times(int64_t *recent, size_t depth, const int64_t *t, const uint16_t *x,
                 const uint16_t *y, const uint8_t *p, size_t n, uint32_t width, uint32_t height);

/* As ae_last_times; since[k] is how long before event k its cell's last was, negative where there was
 * none, or none before it. */
size_t ae_intervals(int64_t *latest, int64_t *since, const int64_t *t, const uint16_t *x,
                    const uint16_t *y, const uint8_t *p, size_t n, uint32_t width,
                    uint32_t height);

/* Write n values of exp(-age * rate), or 1 - age * rate from 0 on, of age = now - latest, which is 0
 * from now on and without end where latest is INT64_MIN. */
void ae_decay(const int64_t *latest, float *out, size_t n, int64_t now, float rate, int linear);

/* ---- voxels.c: events between two bins of time ------------------------------------------------ */

/* Add 1 of ON, -1 of OFF to the bins before and after the event's time, (t - first) * bins a us,
 * each the more the nearer it is. `grid` has bins * width * height values, fewer than 2^32. Returns
 * how many events lie off the sensor. */
size_t ae_voxels(float *grid, const int64_t *t, const uint16_t *x, const uint16_t *y,
                 const uint8_t *p, size_t n, uint32_t width, uint32_t height, uint32_t bins,
                 int64_t first, double bins_a_us);

/* ---- hats.c: histograms of averaged time surfaces --------------------------------------------- */

typedef struct {
    uint32_t radius;          /* pixels to each side of an event that it sees, up to 100 */
    uint32_t memory;          /* events that a cell remembers */
    int64_t within;           /* us that it remembers them, not below 0 */
    float rate;               /* 1 / tau */
} ae_hats_view;

/* For each of n events, add to the surface of its cell, (2 * radius + 1)^2 values of `sums`, the
 * exp(-age * rate) of the events that the cell remembers from before it, where they are as seen
 * from it. Events come cell by cell, each in the order of time. Those of cells beyond `cells` are
 * left out. */
void ae_hats(float *sums, size_t cells, const uint32_t *cell, const int64_t *t, const uint16_t *x,
             const uint16_t *y, size_t n, const ae_hats_view *view);

/* ---- readout.c: from counters to a frame ------------------------------------------------------ */

/* Write n values to `out` and clear the counters, their spill and the extra slots.
 * signed_ 0: out[i] = counts[i], the table has n + 1 slots.
 * signed_ 1: out[i] = counts[n + i] - counts[i], that is ON - OFF, the table has 2 * n + 1 slots.
 * `spill` may be NULL. int32 values are exact modulo 2^32: read the bits as uint32 if need be. */
void ae_readout_u8_f32(uint8_t *counts, uint32_t *spill, float *out, size_t n, int signed_);
void ae_readout_u16_f32(uint16_t *counts, uint32_t *spill, float *out, size_t n, int signed_);
void ae_readout_u32_f32(uint32_t *counts, uint32_t *spill, float *out, size_t n, int signed_);
void ae_readout_u8_i32(uint8_t *counts, uint32_t *spill, int32_t *out, size_t n, int signed_);
void ae_readout_u16_i32(uint16_t *counts, uint32_t *spill, int32_t *out, size_t n, int signed_);
void ae_readout_u32_i32(uint32_t *counts, uint32_t *spill, int32_t *out, size_t n, int signed_);

/* ---- inspect.c: what a healthy recording would not hold --------------------------------------- */

typedef struct {
    int64_t width;            /* of the sensor; 0 when unknown: then nothing is off it */
    int64_t height;
    int64_t started;          /* an event has been seen: last and latest mean something */
    int64_t last;             /* time of the last event */
    int64_t latest;           /* the running time: the largest t so far */
    int64_t backward;         /* in this call: events earlier than the one before them */
    int64_t late;             /* in this call: events earlier than the running time */
    int64_t off_sensor;       /* in this call: events with x >= width or y >= height */
} ae_inspection;

/* Look at the next n events of a stream: sets what is "in this call", moves the rest on. */
void ae_inspect(const int64_t *t, const uint16_t *x, const uint16_t *y, size_t n,
                ae_inspection *state);

/* ---- text_read.c, text_quick.c, text_write.c: rows of text <-> columns ------------------------ */

#define AE_TEXT_ROW 64        /* the encoder stops when fewer bytes than this are left */

typedef struct {
    int64_t columns;          /* fields in a row; those that are not t, x, y or p are skipped */
    int64_t t_column;         /* 0 is the first */
    int64_t x_column;
    int64_t y_column;
    int64_t p_column;
    int64_t separator;        /* ',' ';' '\t' or ' ': the last means runs of spaces and tabs */
    int64_t seconds;          /* t is decimal seconds; otherwise microseconds */
    int64_t offset;           /* decoder: bytes consumed so far, of the whole text */
    int64_t bad_lines;        /* decoder: lines that do not parse, skipped */
    int64_t first_bad;        /* decoder: byte offset of the first of them, -1 if none */
    int64_t next;             /* encoder: first event not yet written */
} ae_text;

/* Append the events of whole lines (they end with "\n" or "\r\n") and return the bytes consumed:
 * up to after the last newline, or less once out->n is above out->capacity - AE_SLACK.
 * Empty lines and lines that start with '#' or '%' are skipped. Numbers are decimal, with or without
 * sign, fraction and exponent, and are read exactly: seconds are rounded to the microsecond, half
 * away from zero by the 7th decimal; everything else must be whole. p is 0, 1, -1 (OFF), true,
 * false, True or False. */
size_t ae_text_decode(const uint8_t *data, size_t length, ae_text *state, ae_columns *out);

/* Write the events from state->next on, four columns a row in the order of their column numbers,
 * until none is left or `out` is full. Returns the bytes written. */
size_t ae_text_encode(const ae_columns *in, ae_text *state, uint8_t *out, size_t capacity);

/* ---- merge.c: runs of events in the order of time --------------------------------------------- */

#define AE_MERGE_WINDOW 16384
#define AE_MERGE_RUNS 64      /* at most */

typedef struct {              /* events in the order of `key`, which is their time but for late ones */
    const int64_t *key;
    const int64_t *t;
    const uint16_t *x;
    const uint16_t *y;
    const uint8_t *p;
    size_t n;
    size_t at;                /* the first that has not been taken */
    size_t end;               /* for the kernel */
} ae_run;

/* Appends events of a key below `until` to `out`, in the order of keys, those of equal keys in the
 * order of the runs, until the runs or the room end; moves on `at` of each run. `places` has room
 * for AE_MERGE_WINDOW numbers. */
void ae_merge(ae_run *runs, size_t k, int64_t until, uint32_t *places, ae_columns *out);

/* ---- filter.c: which events to keep ----------------------------------------------------------- */

/* Each sets keep[i] to 1 or 0 for each event of `in`, and moves its table on; returns how many lie
 * off the sensor, which are not kept. Tables are zeros before the first event. A time t stands in
 * them as t + 2^62. `most` is a time of at most 2^60 us; two times are near each other if neither
 * is more than `most` after the other. */

/* Keep what has been near to the last event of one of the 8 neighbours. `last` has one more slot
 * on each side of the sensor: (height + 2) rows of width + 2. */
size_t ae_background(const ae_columns *in, uint64_t *last, uint32_t width, uint32_t height,
                     uint64_t most, uint8_t *keep);

/* Keep what is not near to the last event that was kept at its pixel. */
size_t ae_refractory(const ae_columns *in, uint64_t *last, uint32_t width, uint32_t height,
                     uint64_t most, uint8_t *keep);

typedef struct {              /* of a pixel */
    uint64_t last;            /* time of its last event */
    uint32_t p;               /* its polarity */
    uint32_t followed;        /* it was not the first of its burst */
} ae_burst;

/* Keep what is near to the last event of its pixel, of the same polarity; unless `trail`, only the
 * first such of a burst. */
size_t ae_contrast(const ae_columns *in, ae_burst *bursts, uint32_t width, uint32_t height,
                   uint64_t most, int trail, uint8_t *keep);

/* Keep what has not more than `most` events of its time on its line, where those follow on each
 * other. `counts` are 65536 zeros, and are so again afterwards. */
void ae_lines(const int64_t *t, const uint16_t *line, size_t n, uint32_t *counts, uint32_t most,
              uint8_t *keep);

/* Append the events to keep, as far as there is room. */
void ae_pick(const ae_columns *in, const uint8_t *keep, ae_columns *out);

/* ---- wake.c: for threads of other libraries, to wake who reads a pipe -------------------------- */

typedef struct {
    int32_t file;             /* a pipe that does not block, to write to */
    int32_t gone;             /* nothing more will come */
} ae_wake;

void ae_wake_come(void *waking);
void ae_wake_gone(void *waking);

#endif
