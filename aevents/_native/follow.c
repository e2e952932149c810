/* Decoding as far as what follows bears it out: words are marked while they come into the cache, and
 * decoded while they are there. See ahead.h. */
#include "inspect.h"
#include "marks.h"

enum { BLOCK = 4096 };                     /* words that are marked at a time */

/* Where a word is: its piece, which word of it, and the number of the first word of the piece. */
typedef struct {
    size_t piece, word, first;
} place;

static place place_of(const ae_ahead *ahead, size_t number)
{
    place it = {0, 0, ahead->first};
    while (it.piece + 1 < ahead->pieces && number - it.first >= ahead->words[it.piece])
        it.first += ahead->words[it.piece++];
    it.word = number - it.first;
    return it;
}

/* Moves on to the last time, of words before `until`, that another follows. */
static void bear_out(ae_ahead *ahead, size_t until)
{
    for (size_t k = ahead->known; k + 1 < ahead->said; k++) {
        size_t at = ahead->places[k % AE_AHEAD_TIMES];
        if (at > until)
            break;
        ahead->known = k;
        ahead->stop = at > ahead->stop ? at : ahead->stop;
    }
}

/* Takes in that word `at` says a time. No more than AE_AHEAD_WORDS that are not borne out are kept,
 * and some of those before. */
static void take_in(ae_ahead *ahead, int64_t time, size_t at)
{
    ahead->times[ahead->said % AE_AHEAD_TIMES] = time;
    ahead->places[ahead->said++ % AE_AHEAD_TIMES] = at;
    bear_out(ahead, at > AE_AHEAD_WORDS ? at - AE_AHEAD_WORDS : 0);
}

typedef int64_t time_function(const uint8_t *word, const ae_marks *state);

static int64_t time2(const uint8_t *word, const ae_marks *state)
{
    return ae_load32(word + state->typed) & state->mask;
}

static int64_t time3(const uint8_t *word, const ae_marks *state)
{
    return ae_load16(word) & state->mask;
}

/* What a format is made of; `time` is NULL where every record has one. */
typedef struct {
    ae_marks_function *mark;
    time_function *time;
    size_t size;
} format;

/* Marks the next words. */
static void look(ae_ahead *ahead, ae_marks *marks, format of)
{
    uint32_t found[BLOCK];
    place at = place_of(ahead, ahead->marked);
    const uint8_t *data = ahead->data[at.piece];
    size_t words = ahead->words[at.piece], stop = at.word + BLOCK < words ? at.word + BLOCK : words;
    marks->words = (int64_t)at.first;
    size_t n = of.mark((ae_words){data, at.word, stop, words}, marks, found);
    ahead->marked = at.first + stop;
    if (marks->doubts)
        return;
    size_t until = ahead->marked > AE_AHEAD_WORDS ? ahead->marked - AE_AHEAD_WORDS : 0;
    if (!of.time) {
        ahead->stop = until > ahead->stop ? until : ahead->stop;
        return;
    }
    for (size_t k = 0; k < n; k++)
        take_in(ahead, of.time(data + of.size * found[k], marks), at.first + found[k]);
    bear_out(ahead, until);
}

typedef size_t decode_function(const uint8_t *data, size_t words, void *state, ae_columns *out);

/* Decodes what is borne out. Returns 0 if there is no room for all of it. */
static int decoded(ae_ahead *ahead, decode_function *decode, size_t size, void *state,
                   ae_inspection *seen, ae_columns *out)
{
    while (ahead->at < ahead->stop) {
        place at = place_of(ahead, ahead->at);
        size_t words = ahead->words[at.piece] - at.word, rest = ahead->stop - ahead->at;
        words = words < rest ? words : rest;
        size_t n = out->n, done = decode(ahead->data[at.piece] + size * at.word, words, state, out);
        ahead->at += done;
        ae_inspect_more(out->t + n, out->x + n, out->y + n, out->n - n, seen);
        if (done < words)
            return 0;
    }
    return 1;
}

AE_INLINE int follow(ae_ahead *ahead, ae_marks *marks, format of, decode_function *decode,
                     void *state, ae_inspection *seen, ae_columns *out)
{
    seen->backward = seen->late = seen->off_sensor = 0;
    size_t end = ahead->first;
    for (size_t i = 0; i < ahead->pieces; i++)
        end += ahead->words[i];
    for (;;) {
        if (!decoded(ahead, decode, of.size, state, seen, out))
            return 1;
        if (marks->doubts || ahead->marked >= end)
            return 0;
        look(ahead, marks, of);
    }
}

/* ---- the formats ------------------------------------------------------------------------------- */

static size_t evt2(const uint8_t *data, size_t words, void *state, ae_columns *out)
{
    return ae_evt2_decode(data, words, state, out);
}

static size_t evt21(const uint8_t *data, size_t words, void *state, ae_columns *out)
{
    return ae_evt21_decode(data, words, state, out);
}

static size_t evt3(const uint8_t *data, size_t words, void *state, ae_columns *out)
{
    return ae_evt3_decode(data, words, state, out);
}

static size_t evt4(const uint8_t *data, size_t words, void *state, ae_columns *out)
{
    return ae_evt4_decode(data, words, state, out);
}

static size_t dat(const uint8_t *data, size_t records, void *state, ae_columns *out)
{
    return ae_dat_decode(data, records, state, out);
}

int ae_evt2_follow(ae_ahead *ahead, ae_marks *marks, ae_evt2 *state, ae_inspection *seen,
                   ae_columns *out)
{
    return follow(ahead, marks, (format){ae_evt2_mark, time2, 4}, evt2, state, seen, out);
}

int ae_evt21_follow(ae_ahead *ahead, ae_marks *marks, ae_evt2 *state, ae_inspection *seen,
                    ae_columns *out)
{
    return follow(ahead, marks, (format){ae_evt2_mark, time2, 8}, evt21, state, seen, out);
}

int ae_evt3_follow(ae_ahead *ahead, ae_marks *marks, ae_evt3 *state, ae_inspection *seen,
                   ae_columns *out)
{
    return follow(ahead, marks, (format){ae_evt3_mark, time3, 2}, evt3, state, seen, out);
}

int ae_evt4_follow(ae_ahead *ahead, ae_marks *marks, ae_evt2 *state, ae_inspection *seen,
                   ae_columns *out)
{
    return follow(ahead, marks, (format){ae_evt2_mark, time2, 4}, evt4, state, seen, out);
}

int ae_dat_follow(ae_ahead *ahead, ae_marks *marks, ae_dat *state, ae_inspection *seen,
                  ae_columns *out)
{
    return follow(ahead, marks, (format){ae_dat_mark, NULL, 8}, dat, state, seen, out);
}
