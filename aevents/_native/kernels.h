/* Every kernel of aevents. Pure functions over memory that the caller owns: no allocation, no
 * globals but the dispatch table, no callbacks, no Python.
 *
 * Common rules. A kernel never writes outside the lengths it is given, whatever the input. Bytes
 * are read with unaligned little-endian loads. Times are microseconds in int64. */
#ifndef AEVENTS_KERNELS_H
#define AEVENTS_KERNELS_H
#include <stddef.h>
#include <stdint.h>

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

/* ---- evt2.c, evt3.c, dat.c: bit-packed words <-> columns -------------------------------------- */

/* Decoders read whole words from `data`, append to `out`, and return how many words they consumed:
 * fewer than `words` once out->n is above out->capacity - AE_SLACK, or at a trigger without room.
 * State carries over from call to call, so that the input may be cut anywhere between words, and
 * every instruction set stops at the same word.
 * Encoders turn events [state->next, in->n) into bytes, return the bytes written, and leave in
 * state->next the first event not yet written: the output was full, or state->refused is set, as
 * the format cannot hold that event so that a decoder reads it back the same. They need room for 16
 * bytes to get on; what they write does not depend on the room they are given. */

typedef struct {
    int64_t started;          /* a TIME_HIGH has been seen: words before it have no time */
    int64_t loop;             /* roll-overs of the clock so far, in us */
    int64_t high;             /* value of the last TIME_HIGH word */
    int64_t untimed;          /* events and triggers dropped: no TIME_HIGH had come before them */
    int64_t unknown;          /* words of a reserved type */
} ae_evt2;

size_t ae_evt2_decode(const uint8_t *data, size_t words, ae_evt2 *state, ae_columns *out);

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
} ae_encoder;

size_t ae_evt2_encode(const ae_columns *in, ae_encoder *state, uint8_t *out, size_t capacity);
size_t ae_evt3_encode(const ae_columns *in, ae_encoder *state, uint8_t *out, size_t capacity);
size_t ae_dat_encode(const ae_columns *in, ae_encoder *state, uint8_t *out, size_t capacity);

#endif
