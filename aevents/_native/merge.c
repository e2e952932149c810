/* k runs of events in time order as one, events of equal time in the order of the runs.
 *
 * Two ways. Where runs are long, gallop: from the run with the earliest event, all events before
 * the next other run's are copied at once; the first events of the runs are kept in order. Where
 * runs alternate, count: in a short window of time the events of each microsecond are counted over
 * all runs, which says where each belongs; runs are then scattered one after the other, which keeps
 * the order of equals. */
#include <string.h>

#include "kernels.h"

enum {
    WINDOW = AE_MERGE_WINDOW,     /* us that are counted at a time, at most */
    DENSE = 8,                    /* us an event, on average, for which counting pays */
    LEAST_WINDOW = 16,
    STEP = 16,                    /* events that are copied all together, wanted or not */
    STEPS = 8,                    /* after so many, doubling finds the end of a stretch sooner */
    AHEAD = 2 * STEP,
    LONG_RUN = 5,                 /* events copied at a time for which galloping pays */
    TRIES = 64,                   /* copies after which the way is chosen anew */
    RUN_BITS = 6
};

static const uint64_t FAR = UINT64_MAX >> RUN_BITS;   /* us from the base: so far or farther */

static uint64_t least(uint64_t one, uint64_t other) { return one < other ? one : other; }

static uint64_t most(uint64_t one, uint64_t other) { return one > other ? one : other; }

/* How far a time is behind another, without overflow. */
static uint64_t since(int64_t base, int64_t time) { return (uint64_t)time - (uint64_t)base; }

/* The first event of the run at or after `time`: without a branch if it is near, else by doubling
 * steps, then halving ones. */
static size_t lower_bound(const ae_run *run, int64_t time)
{
    size_t low = run->at, step = STEP, high;
    for (int i = 0; i < STEPS && low + STEP <= run->n; i++) {
        size_t before = 0;
        for (size_t j = 0; j < STEP; j++)
            before += run->key[low + j] < time;
        low += before;
        if (before < STEP)
            return low;
    }
    while (low + step < run->n && run->key[low + step] < time) {
        low += step;
        step *= 2;
    }
    high = low + step < run->n ? low + step : run->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (run->key[middle] < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Asks for the `count` events behind the next ones of a run: columns of many runs are more than a
 * CPU foresees. */
static void ask_for(const ae_run *run, size_t count)
{
    size_t from = run->at + AHEAD, end = from + least(count, STEPS * STEP);
    for (; from < end && from < run->n; from += STEP) {
        __builtin_prefetch(run->t + from);
        __builtin_prefetch(run->t + from + STEP / 2);
        __builtin_prefetch(run->x + from);
        __builtin_prefetch(run->y + from);
        __builtin_prefetch(run->p + from);
    }
}

/* Takes the next `count` events of a run. */
static void take(ae_run *run, size_t count, ae_columns *out)
{
    size_t from = run->at, to = out->n, whole = (count + STEP - 1) / STEP * STEP;
    run->at += count;
    out->n += count;
    if (count <= STEPS * STEP && from + whole <= run->n && to + whole <= out->capacity) {
        for (size_t end = from + count; from < end; from += STEP, to += STEP) {
            memcpy(out->t + to, run->t + from, STEP * sizeof *out->t);
            memcpy(out->x + to, run->x + from, STEP * sizeof *out->x);
            memcpy(out->y + to, run->y + from, STEP * sizeof *out->y);
            memcpy(out->p + to, run->p + from, STEP);
        }
        return;
    }
    memcpy(out->t + to, run->t + from, count * sizeof *out->t);
    memcpy(out->x + to, run->x + from, count * sizeof *out->x);
    memcpy(out->y + to, run->y + from, count * sizeof *out->y);
    memcpy(out->p + to, run->p + from, count);
}

/* The time of the earliest event that is left; `until` if none is before that. */
static int64_t earliest(const ae_run *runs, size_t k, int64_t until)
{
    for (size_t i = 0; i < k; i++)
        if (runs[i].at < runs[i].n && runs[i].key[runs[i].at] < until)
            until = runs[i].key[runs[i].at];
    return until;
}

/* Time and number of a run's next event, to be compared as one. */
static uint64_t head(const ae_run *runs, size_t i, int64_t base)
{
    uint64_t time = runs[i].at < runs[i].n ? since(base, runs[i].key[runs[i].at]) : FAR;
    return least(time, FAR) << RUN_BITS | i;
}

/* Puts `new` into the first k of `heads`, which are in order, in place of the first. */
static void replace_first(uint64_t *heads, size_t k, uint64_t new)
{
    heads[0] = 0;
    for (size_t i = 0; i < k; i++)
        heads[i] = least(heads[i + 1], most(heads[i], new));
}

/* Copies stretches, TRIES of them; returns how many events. */
static size_t gallop(ae_run *runs, size_t k, int64_t until, ae_columns *out)
{
    uint64_t heads[AE_MERGE_RUNS + 1];
    size_t before = out->n;
    int64_t base = earliest(runs, k, until);
    for (size_t i = 0; i <= k; i++)
        heads[i] = UINT64_MAX;
    for (size_t i = 0; i < k; i++) {
        memmove(heads + 1, heads, k * sizeof *heads);
        replace_first(heads, k, head(runs, i, base));
    }
    for (int i = 0; i < TRIES && out->n < out->capacity; i++) {
        size_t one = heads[0] & (AE_MERGE_RUNS - 1);
        uint64_t others = heads[1] >> RUN_BITS;
        others += heads[0] % AE_MERGE_RUNS < heads[1] % AE_MERGE_RUNS;   /* equal ones come after */
        others = least(others, since(base, until));
        if (heads[0] >> RUN_BITS >= least(others, FAR))
            break;
        size_t count = lower_bound(&runs[one], (int64_t)((uint64_t)base + others)) - runs[one].at;
        take(&runs[one], least(count, out->capacity - out->n), out);
        ask_for(&runs[one], count);
        replace_first(heads, k, head(runs, one, base));
    }
    return out->n - before;
}

static void scatter(const ae_run *run, int64_t start, uint32_t *places, ae_columns *out)
{
    const ae_run from = *run;          /* what is written might be this, for all the compiler knows */
    int64_t *t = out->t + out->n;
    uint16_t *x = out->x + out->n, *y = out->y + out->n;
    uint8_t *p = out->p + out->n;
    for (size_t j = from.at; j < from.end; j++) {
        uint32_t place = places[from.key[j] - start]++;
        t[place] = from.t[j];
        x[place] = from.x[j];
        y[place] = from.y[j];
        p[place] = from.p[j];
    }
}

/* Sorts the events of one window by counting. Returns 0, with nothing done, if they are too many
 * for the room or too few for the window. */
static size_t count_window(ae_run *runs, size_t k, int64_t start, int64_t width, uint32_t *places,
                           ae_columns *out)
{
    size_t total = 0;
    for (size_t i = 0; i < k; i++) {
        runs[i].end = lower_bound(&runs[i], start + width);
        total += runs[i].end - runs[i].at;
    }
    if (total > out->capacity - out->n || (int64_t)total * DENSE < width)
        return 0;
    memset(places, 0, (size_t)width * sizeof *places);
    for (size_t i = 0; i < k; i++)
        for (size_t j = runs[i].at; j < runs[i].end; j++) {
            uint64_t time = (uint64_t)runs[i].key[j] - (uint64_t)start;
            if (time >= (uint64_t)width)
                return 0;                     /* the run is in no order */
            places[time]++;
        }
    uint32_t sum = 0;
    for (int64_t time = 0; time < width; time++) {
        uint32_t here = places[time];
        places[time] = sum;
        sum += here;
    }
    for (size_t i = 0; i < k; i++) {
        scatter(&runs[i], start, places, out);
        runs[i].at = runs[i].end;
    }
    out->n += total;
    return total;
}

/* Counts windows, smaller ones where there is no room, until they are thin or the end comes. */
static void count_windows(ae_run *runs, size_t k, int64_t until, uint32_t *places, ae_columns *out)
{
    int64_t width = WINDOW;
    while (out->n < out->capacity && width >= LEAST_WINDOW) {
        int64_t start = earliest(runs, k, until);
        if (start == until)
            return;
        int64_t here = (int64_t)least(since(start, until), (uint64_t)width);
        if (!count_window(runs, k, start, here, places, out))
            width = here / 4;
    }
}

void ae_merge(ae_run *runs, size_t k, int64_t until, uint32_t *places, ae_columns *out)
{
    if (!k || k > AE_MERGE_RUNS)
        return;
    for (;;) {
        size_t count = gallop(runs, k, until, out);
        if (!count || out->n == out->capacity)
            return;
        if (count < LONG_RUN * TRIES)
            count_windows(runs, k, until, places, out);
    }
}
