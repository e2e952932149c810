/* k runs of events in time order as one, events of equal time in the order of the runs.
 *
 * Two ways. Where runs are long, gallop: from the run with the earliest event, all events before
 * the next other run's are copied at once. Where runs alternate, count: in a short window of time
 * the events of each microsecond are counted over all runs, which says where each belongs; runs are
 * then scattered one after the other, which keeps the order of equals. */
#include <string.h>

#include "kernels.h"

enum {
    WINDOW = AE_MERGE_WINDOW,     /* us that are counted at a time, at most */
    DENSE = 8,                    /* us an event, on average, for which counting pays */
    LEAST_WINDOW = 16,
    LONG_RUN = 4,                 /* events copied at a time, and one a run, for which galloping pays */
    SHORT_RUN = 16,               /* events that are copied all together, wanted or not */
    TRIES = 16                    /* copies after which the way is chosen anew */
};

/* The first event of the run at or after `time`: without a branch if it is near, else by doubling
 * steps, then halving ones. */
static size_t lower_bound(const ae_run *run, size_t from, int64_t time)
{
    size_t step = SHORT_RUN, low = from, high;
    if (from + SHORT_RUN <= run->n) {
        size_t before = 0;
        for (size_t j = 0; j < SHORT_RUN; j++)
            before += run->key[from + j] < time;
        if (before < SHORT_RUN)
            return from + before;
    }
    while (low + step < run->n && run->key[low + step] < time) {
        low += step;
        step *= 2;
    }
    high = low + step < run->n ? low + step : run->n;
    if (low < run->n && run->key[low] < time)
        low++;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (run->key[middle] < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void copy(const ae_run *run, size_t from, size_t count, ae_columns *out)
{
    if (count <= SHORT_RUN && from + SHORT_RUN <= run->n && out->n + SHORT_RUN <= out->capacity) {
        memcpy(out->t + out->n, run->t + from, SHORT_RUN * sizeof *out->t);
        memcpy(out->x + out->n, run->x + from, SHORT_RUN * sizeof *out->x);
        memcpy(out->y + out->n, run->y + from, SHORT_RUN * sizeof *out->y);
        memcpy(out->p + out->n, run->p + from, SHORT_RUN);
        out->n += count;
        return;
    }
    memcpy(out->t + out->n, run->t + from, count * sizeof *out->t);
    memcpy(out->x + out->n, run->x + from, count * sizeof *out->x);
    memcpy(out->y + out->n, run->y + from, count * sizeof *out->y);
    memcpy(out->p + out->n, run->p + from, count);
    out->n += count;
}

/* The time of the next event of a run; at its end the last time there is, which is never taken. */
static int64_t head(const ae_run *run)
{
    return run->at < run->n ? run->key[run->at] : INT64_MAX;
}

/* The run whose next event is the earliest, the first of equals. */
static size_t earliest(const int64_t *heads, size_t k)
{
    size_t best = 0;
    int64_t least = heads[0];
    for (size_t i = 1; i < k; i++) {
        best = heads[i] < least ? i : best;
        least = heads[i] < least ? heads[i] : least;
    }
    return best;
}

/* The time before which all events of run `one` come before those of the others. */
static int64_t others_begin(const int64_t *heads, size_t k, size_t one, int64_t until)
{
    for (size_t i = 0; i < one; i++)
        until = heads[i] < until ? heads[i] : until;
    for (size_t i = one + 1; i < k; i++)          /* an equal one of a later run comes after */
        until = heads[i] < until ? heads[i] + 1 : until;
    return until;
}

/* Copies stretches, TRIES of them; returns how many events. */
static size_t gallop(ae_run *runs, size_t k, int64_t until, int64_t *heads, ae_columns *out)
{
    size_t before = out->n;
    for (int i = 0; i < TRIES && out->n < out->capacity; i++) {
        size_t one = earliest(heads, k);
        if (heads[one] >= until)
            break;
        size_t end = lower_bound(&runs[one], runs[one].at, others_begin(heads, k, one, until));
        size_t count = end - runs[one].at, room = out->capacity - out->n;
        count = count < room ? count : room;
        copy(&runs[one], runs[one].at, count, out);
        runs[one].at += count;
        heads[one] = head(&runs[one]);
    }
    return out->n - before;
}

static void scatter(const ae_run *run, size_t end, int64_t start, uint32_t *places, ae_columns *out)
{
    for (size_t j = run->at; j < end; j++) {
        size_t place = out->n + places[run->key[j] - start]++;
        out->t[place] = run->t[j];
        out->x[place] = run->x[j];
        out->y[place] = run->y[j];
        out->p[place] = run->p[j];
    }
}

/* Sorts the events of one window by counting. Returns 0, with nothing done, if they are too many
 * for the room or too few for the window. */
static size_t count_window(ae_run *runs, size_t k, int64_t start, int64_t width, uint32_t *places,
                           ae_columns *out)
{
    size_t total = 0;
    for (size_t i = 0; i < k; i++) {
        runs[i].end = lower_bound(&runs[i], runs[i].at, start + width);
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
        scatter(&runs[i], runs[i].end, start, places, out);
        runs[i].at = runs[i].end;
    }
    out->n += total;
    return total;
}

/* Counts windows, smaller ones where there is no room, until they are thin or the end comes. */
static void count_windows(ae_run *runs, size_t k, int64_t until, int64_t *heads, uint32_t *places,
                          ae_columns *out)
{
    int64_t width = WINDOW;
    while (out->n < out->capacity && width >= LEAST_WINDOW) {
        int64_t start = heads[earliest(heads, k)];
        if (start >= until)
            return;
        uint64_t left = (uint64_t)until - (uint64_t)start;   /* wraps as signed ones must not */
        int64_t most = left < (uint64_t)width ? (int64_t)left : width;
        if (!count_window(runs, k, start, most, places, out))
            width = most / 4;
        for (size_t i = 0; i < k; i++)
            heads[i] = head(&runs[i]);
    }
}

void ae_merge(ae_run *runs, size_t k, int64_t until, uint32_t *places, ae_columns *out)
{
    int64_t heads[AE_MERGE_RUNS];
    if (!k || k > AE_MERGE_RUNS)
        return;
    for (size_t i = 0; i < k; i++)
        heads[i] = head(&runs[i]);
    for (;;) {
        size_t count = gallop(runs, k, until, heads, out);
        if (!count || out->n == out->capacity)
            return;
        if (count < (LONG_RUN + k / 2) * TRIES)
            count_windows(runs, k, until, heads, places, out);
    }
}
