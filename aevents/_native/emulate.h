/* The kernels that make events of pictures: emulate.c and spikes.c. Part of kernels.h, under its
 * rules; cffi reads it too. */
#ifndef AEVENTS_EMULATE_H
#define AEVENTS_EMULATE_H
#include <stddef.h>
#include <stdint.h>

/* ---- emulate.c: pixels that look at pictures -------------------------------------------------- */

/* What a pixel remembers and what it is like, a plane each, row by row. */
typedef struct {
    float *level;            /* logarithm of the light on it, low-passed */
    float *excess;           /* how far that is above what it was when the pixel was last reset */
    float *noise_level;      /* noise of the photoreceptor, low-passed: excess has it, level not */
    float *on;               /* excess of an ON event */
    float *off;              /* and of an OFF event, below 0 */
    float *leak;             /* what excess gains, a second */
    int64_t *last;           /* time of its last event, in us; long ago if there was none */
    size_t n;                /* how many pixels */
    size_t width;
} ae_pixels;

/* A picture, and how long it took to come. */
typedef struct {
    uint8_t *bytes;          /* the light, 0 to 255; or none, and then: */
    float *light;            /* the light, 0 to 255, */
    float *logs;             /* and its logarithm */
    float *table;            /* logarithms of all bytes */
    float seconds;           /* since the last picture */
    float pass;              /* (light + 20) * pass of the change passes the filter, 0: all */
    float jitter;            /* of the leak, a unit of its dice */
    float fade;              /* share of the noise level that is gone, */
    float sigma;             /* and deviation of what comes instead; 0: there is no such noise */
    float *normals;          /* the table of normals.py for that, or none */
    double noise;            /* chance of a noise event of either polarity on a nominal pixel, */
    double fall;             /* which is as much less a unit of light + 20 */
    double nominal_on;
    double nominal_off;
    uint32_t limit;          /* no pixel's chance of noise is above limit / 2^32; 0: no noise */
    uint32_t late;           /* noise comes with the picture, not at some time before it */
    uint32_t interval;       /* since the last picture, in us */
    uint32_t leak_key[2];    /* of dice */
    uint32_t noise_key[2];
    uint32_t depth_key[2];
    uint32_t time_key[2];
    uint32_t level_key[2];
} ae_picture;

/* The pixels that have events of a picture, in their order; room for all pixels. */
typedef struct {
    uint32_t *index;
    float *excess;           /* with the picture, before its events */
    float *change;           /* of that, on a straight line through the interval */
    int32_t *crossed;        /* how many thresholds: above 0 ON, below 0 OFF */
    int32_t *done;           /* how many of those have been dealt with */
    uint32_t *noise_at;      /* time of a noise event after the last picture, in us; 0: none */
    uint8_t *noise_p;        /* its polarity */
    size_t n;
    int64_t most;            /* events at most */
    int32_t steps;           /* thresholds crossed by the pixel that crossed most */
} ae_active;

/* How crossings become events. */
typedef struct {
    int64_t start;           /* time of the picture before, in us */
    uint32_t interval;       /* to this one */
    const uint32_t *grid;    /* time of each pixel's first event, second and so on, in us after */
    uint32_t steps;          /* start; how many those are; 0: each event at its own time */
    int64_t rest;            /* of a pixel after an event, in us */
    uint32_t rule;           /* for crossings in a rest: 0 come back, 1 wait, 2 are forgotten */
} ae_timing;

/* See a picture: move `level` and `excess` on, and list the pixels that have events. */
void ae_see(ae_pixels *pixels, const ae_picture *picture, ae_active *active);

/* Count crossings and noise up to `until` us after the last picture that have not been dealt with. */
size_t ae_crossings(const ae_pixels *pixels, const ae_active *active, const ae_timing *timing,
                    uint32_t until);

/* Deal with those: write events in the order of pixels, `after` being `until` of the call before,
 * and return how many. There is room for as many as ae_crossings counts. An event is its time after
 * the last picture (30 bits), y, x (16 bits each), noise and polarity (a bit each). */
size_t ae_fire(ae_pixels *pixels, ae_active *active, const ae_timing *timing, uint32_t after,
               uint32_t until, uint64_t *events);

/* ---- spikes.c: events of their own times ------------------------------------------------------ */

#define AE_LATEST 1073741823      /* the longest that an event may come after `start`, in us */

/* Write events, as ae_fire has them, as columns in the order of time, those of one time in their own
 * order. `spare` has room for as many, or for twice as many if `latest` is above 65535; `counts` are
 * 65536 numbers; `latest` is the latest time. */
void ae_spread(const uint64_t *events, uint64_t *spare, size_t n, uint32_t *counts, uint32_t latest,
               int64_t start, int64_t *t, uint16_t *x, uint16_t *y, uint8_t *p, uint8_t *noise);

/* Draw Poisson counts of `n` means; return their sum. */
size_t ae_poisson_counts(const float *means, size_t n, const uint32_t *keys, uint32_t *counts);

/* Write the events of these counts, each at a time of [0, interval): of the first pixel first.
 * Pixels from `half` on are ON and stand for those before them; those before are of `p`. */
void ae_poisson_events(const uint32_t *counts, size_t n, size_t width, size_t half, uint32_t p,
                       uint32_t interval, const uint32_t *key, uint64_t *events);

#endif
