/* Pixels that look at pictures: the model of v2e (Hu, Liu, Delbruck 2021), and of ESIM (Rebecq,
 * Gehrig, Scaramuzza 2018), which has no filter, no leak and no noise.
 *
 * A pixel remembers how far the logarithm of its light is from what it was at the last reset, not
 * what it was: near 0, floats are fine enough for the leak of a millisecond.
 * Seeing a picture is plain loops over blocks, of which compilers make vectors; pixels that have
 * events are listed, and dealt with one by one. */
#include "cpu.h"
#include "dice.h"
#include "dispatch.h"
#include "kernels.h"

enum { BLOCK = 512, BACK = 0, WAIT = 1, FORGET = 2 };
#define MOST_CROSSED 1048576.0f       /* of a pixel at once: no light is so bright */

/* ---- seeing ----------------------------------------------------------------------------------- */

typedef struct {              /* of the pixels of a block */
    float light[BLOCK];
    float level[BLOCK];
    float change[BLOCK];
    int32_t crossed[BLOCK];
    uint8_t noise[BLOCK];     /* 0 none, 1 OFF, 2 ON */
    uint8_t events[BLOCK];
} block;

AE_INLINE void look(block *to, const ae_picture *picture, size_t at, size_t n)
{
    if (picture->bytes) {
        const uint8_t *bytes = picture->bytes + at;
        for (size_t k = 0; k < n; k++)
            to->level[k] = picture->table[bytes[k]];
        for (size_t k = 0; k < n; k++)
            to->light[k] = bytes[k];
    } else {
        memcpy(to->level, picture->logs + at, n * sizeof(float));
        memcpy(to->light, picture->light + at, n * sizeof(float));
    }
}

/* A low pass of the first order, the slower the darker it is. */
AE_INLINE void filter(block *to, const float *level, float pass, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        float share = (to->light[k] + 20.0f) * pass;
        share = share < 1.0f ? share : 1.0f;
        to->level[k] = level[k] + share * (to->level[k] - level[k]);
    }
}

/* The jitter is the sum of four bytes of dice: of a mean of 510, and normal enough. */
AE_INLINE void leak(block *to, const float *leaks, const ae_picture *picture, size_t at, size_t n)
{
    const float seconds = picture->seconds, jitter = picture->jitter;
    const uint32_t key = picture->leak_key[0], other = picture->leak_key[1];
    if (jitter == 0.0f) {
        for (size_t k = 0; k < n; k++)
            to->change[k] = leaks[k] * seconds;
        return;
    }
    for (size_t k = 0; k < n; k++) {
        uint32_t bits = ae_dice((uint32_t)(at + k), key, other);
        uint32_t pairs = (bits & 0xFF00FF) + (bits >> 8 & 0xFF00FF);
        int32_t sum = (int32_t)((pairs + (pairs >> 16)) & 0xFFFF);
        to->change[k] = leaks[k] * seconds * (1.0f + (float)(sum - 510) * jitter);
    }
}

/* Noise of the photoreceptor, through a low pass that is the same for dark and light. */
AE_INLINE void ripple(block *restrict to, float *restrict noise_level, const ae_picture *picture,
                      size_t at, size_t n)
{
    const float fade = picture->fade, sigma = picture->sigma, *restrict table = picture->normals;
    const uint32_t key = picture->level_key[0], other = picture->level_key[1];
    for (size_t k = 0; k < n; k++) {
        float normal = ae_normal(ae_dice((uint32_t)(at + k), key, other), table);
        float change = sigma * normal - fade * noise_level[k];
        noise_level[k] += change;
        to->change[k] += change;
    }
}

/* One or the other, without a branch. */
AE_INLINE float either(int which, float one, float other)
{
    uint32_t mask = (uint32_t)-which, bits, other_bits;
    memcpy(&bits, &one, sizeof bits);
    memcpy(&other_bits, &other, sizeof other_bits);
    bits = (bits & mask) | (other_bits & ~mask);
    memcpy(&one, &bits, sizeof one);
    return one;
}

/* How many thresholds each crossed: above 0 ON, below 0 OFF. */
AE_INLINE void cross(block *to, ae_pixels *pixels, ae_active *active, size_t at, size_t n)
{
    float *restrict level = pixels->level + at, *restrict excess = pixels->excess + at;
    const float *on = pixels->on + at, *off = pixels->off + at;
    int32_t steps = active->steps, most = 0;
    for (size_t k = 0; k < n; k++) {
        float change = to->level[k] - level[k] + to->change[k];
        float now = excess[k] + change;
        float times = (now < 0.0f ? -now : now) / either(now < 0.0f, off[k], on[k]);
        int32_t whole = (int32_t)(times < MOST_CROSSED ? times : MOST_CROSSED);
        level[k] = to->level[k];
        to->change[k] = change;
        excess[k] = now;
        to->crossed[k] = now < 0.0f ? -whole : whole;
        steps = whole > steps ? whole : steps;
        most += whole;
    }
    for (size_t k = 0; k < n; k++)
        to->events[k] = to->crossed[k] != 0;
    active->steps = steps;
    active->most += most;
}

/* Whether pixel `i` has a noise event: 0 no, 1 OFF, 2 ON. */
AE_INLINE uint8_t noise_of(const ae_pixels *pixels, const ae_picture *picture, uint32_t i,
                           float light)
{
    uint32_t bits = ae_dice(i, picture->noise_key[0], picture->noise_key[1]);
    double drawn = ae_share(bits, ae_dice(i, picture->depth_key[0], picture->depth_key[1]));
    double chance = picture->noise - picture->fall * ((double)light + 20.0);
    double on = chance * (picture->nominal_on / (double)pixels->on[i]);
    double off = chance * (picture->nominal_off / (double)pixels->off[i]);
    return drawn < on ? 2 : drawn < on + off ? 1 : 0;
}

/* Few have noise: only those that are below the limit are looked at closely. */
AE_INLINE size_t disturb(block *to, const ae_pixels *pixels, const ae_picture *picture, size_t at,
                         size_t n)
{
    const uint32_t key = picture->noise_key[0], other = picture->noise_key[1];
    const uint32_t limit = picture->limit;
    size_t found = 0;
    for (size_t k = 0; k < n; k++)
        to->noise[k] = ae_dice((uint32_t)(at + k), key, other) < limit;
    for (size_t k = 0; k < n; k++) {
        if (!to->noise[k])
            continue;
        to->noise[k] = noise_of(pixels, picture, (uint32_t)(at + k), to->light[k]);
        to->events[k] |= to->noise[k] > 0;
        found += to->noise[k] > 0;
    }
    return found;
}

/* Append the pixels of the block that have events. */
AE_INLINE void list(ae_active *active, const block *of, const float *excess, size_t at, size_t n)
{
    uint32_t *index = active->index + active->n;
    float *end = active->excess + active->n, *change = active->change + active->n;
    int32_t *crossed = active->crossed + active->n;
    size_t found = 0;
    for (size_t k = 0; k < n; k++) {
        index[found] = (uint32_t)(at + k);
        found += of->events[k];
    }
    for (size_t k = 0; k < found; k++) {
        end[k] = excess[index[k]];
        change[k] = of->change[index[k] - at];
        crossed[k] = of->crossed[index[k] - at];
    }
    memset(active->done + active->n, 0, found * sizeof(int32_t));
    memset(active->noise_at + active->n, 0, found * sizeof(uint32_t));
    active->n += found;
}

/* Say when those of the block have noise that were appended from `first` on. */
AE_INLINE void list_noise(ae_active *active, const block *of, const ae_picture *picture, size_t at,
                          size_t first)
{
    for (size_t k = first; k < active->n; k++) {
        uint32_t i = active->index[k];
        uint8_t noise = of->noise[i - at];
        uint32_t die = ae_dice(i, picture->time_key[0], picture->time_key[1]);
        uint32_t time = picture->late ? picture->interval : 1 + ae_below(die, picture->interval);
        active->noise_at[k] = noise ? time : 0;
        active->noise_p[k] = noise == 2;
    }
}

AE_INLINE void see(ae_pixels *pixels, const ae_picture *picture, ae_active *active)
{
    block here;
    active->n = 0;
    active->most = 0;
    active->steps = 0;
    for (size_t at = 0; at < pixels->n; at += BLOCK) {
        size_t n = pixels->n - at < BLOCK ? pixels->n - at : BLOCK, first = active->n;
        look(&here, picture, at, n);
        if (picture->pass > 0.0f)
            filter(&here, pixels->level + at, picture->pass, n);
        leak(&here, pixels->leak + at, picture, at, n);
        if (picture->sigma > 0.0f)
            ripple(&here, pixels->noise_level + at, picture, at, n);
        cross(&here, pixels, active, at, n);
        size_t noisy = picture->limit ? disturb(&here, pixels, picture, at, n) : 0;
        list(active, &here, pixels->excess, at, n);
        if (noisy)
            list_noise(active, &here, picture, at, first);
        active->most += (int64_t)noisy;
    }
}

static void see_base(ae_pixels *pixels, const ae_picture *picture, ae_active *active)
{
    see(pixels, picture, active);
}

static void (*see_chosen)(ae_pixels *, const ae_picture *, ae_active *) = see_base;

#if AE_X86

AE_V3 static void see_v3(ae_pixels *pixels, const ae_picture *picture, ae_active *active)
{
    see(pixels, picture, active);
}

AE_V4 static void see_v4(ae_pixels *pixels, const ae_picture *picture, ae_active *active)
{
    see(pixels, picture, active);
}

void ae_emulate_select(int level)
{
    see_chosen = level >= 4 ? see_v4 : level == 3 ? see_v3 : see_base;
}

#else

void ae_emulate_select(int level)
{
    (void)level;
}

#endif

void ae_see(ae_pixels *pixels, const ae_picture *picture, ae_active *active)
{
    see_chosen(pixels, picture, active);
}

/* ---- firing ----------------------------------------------------------------------------------- */

/* The crossings of a pixel in an interval. */
typedef struct {
    int32_t times;            /* thresholds crossed */
    double threshold;
    double start;             /* excess at its begin, towards the threshold */
    double pace;              /* us a unit of that; not above 0: it was above all along */
} crossings;

AE_INLINE crossings crossings_of(const ae_pixels *pixels, const ae_active *active, size_t k,
                                 const ae_timing *timing)
{
    uint32_t i = active->index[k];
    int32_t crossed = active->crossed[k];
    double sign = crossed < 0 ? -1.0 : 1.0;
    double change = sign * (double)active->change[k];
    double end = sign * (double)active->excess[k];
    double threshold = crossed < 0 ? pixels->off[i] : pixels->on[i];
    return (crossings){
        .times = crossed < 0 ? -crossed : crossed,
        .threshold = threshold,
        .start = end - change,
        .pace = change > 0.0 ? timing->interval / change : 0.0,
    };
}

/* When it crosses threshold `j`, in us from the begin: 1 at least. */
AE_INLINE uint32_t moment(const crossings *of, const ae_timing *timing, int32_t j)
{
    if (timing->steps)
        return timing->grid[j <= (int32_t)timing->steps ? j - 1 : (int32_t)timing->steps - 1];
    double at = ((double)j * of->threshold - of->start) * of->pace;
    double most = timing->interval;
    at = at < most ? at : most;
    uint32_t whole = at > 0.0 ? (uint32_t)at : 0;
    whole += (double)whole < at;
    return whole ? whole : 1;
}

size_t ae_crossings(const ae_pixels *pixels, const ae_active *active, const ae_timing *timing,
                    uint32_t until)
{
    size_t n = 0;
    for (size_t k = 0; k < active->n; k++) {
        crossings of = crossings_of(pixels, active, k, timing);
        int32_t j = active->done[k];
        while (j < of.times && moment(&of, timing, j + 1) <= until)
            j++;
        n += (size_t)(j - active->done[k]) + (active->noise_at[k] && active->noise_at[k] <= until);
    }
    return n;
}

/* Events of one pixel up to `until`; returns how many of its crossings are over with. */
AE_INLINE int32_t fire(ae_pixels *pixels, ae_active *active, size_t k, const ae_timing *timing,
                       uint32_t until, uint64_t place, uint64_t **out)
{
    const crossings of = crossings_of(pixels, active, k, timing);
    int64_t *last = pixels->last + active->index[k];
    int32_t gone = 0, j = active->done[k];
    for (; j < of.times; j++) {
        uint32_t at = moment(&of, timing, j + 1);
        if (at > until)
            break;
        int64_t early = timing->rest ? *last + timing->rest - (timing->start + at) : 0;
        if (early > 0 && timing->rule == BACK)
            continue;
        if (early > 0 && timing->rule == FORGET) {
            gone++;
            continue;
        }
        if (early > (int64_t)(until - at))
            break;
        at += early > 0 ? (uint32_t)early : 0;
        *(*out)++ = (uint64_t)at << 34 | place | (active->crossed[k] > 0);
        *last = timing->start + at;
        gone++;
    }
    active->done[k] = j;
    return gone;
}

size_t ae_fire(ae_pixels *pixels, ae_active *active, const ae_timing *timing, uint32_t after,
               uint32_t until, uint64_t *events)
{
    uint64_t *out = events;
    size_t row = 0, y = 0;                /* dividing would cost as much as all the rest */
    for (size_t k = 0; k < active->n; k++) {
        uint32_t i = active->index[k], noise = active->noise_at[k];
        for (; i - row >= pixels->width; y++)
            row += pixels->width;
        uint64_t place = (uint64_t)y << 18 | (uint64_t)(i - row) << 2;
        int32_t gone = fire(pixels, active, k, timing, until, place, &out);
        float threshold = active->crossed[k] < 0 ? -pixels->off[i] : pixels->on[i];
        pixels->excess[i] -= (float)gone * threshold;
        if (noise > after && noise <= until)
            *out++ = (uint64_t)noise << 34 | place | 2 | active->noise_p[k];
        if (noise && until >= timing->interval)
            pixels->excess[i] = 0.0f;
    }
    return (size_t)(out - events);
}
