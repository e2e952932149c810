/* Kernels that look ahead in words, for what tells a damaged recording. Rules as in kernels.h. */
#ifndef AEVENTS_AHEAD_H
#define AEVENTS_AHEAD_H
#include "kernels.h"

/* ---- marks.c: what tells a damaged recording of packed words ------------------------------------ */

#define AE_MOST_STEP 1048576  /* us: DAT: a time further than this from the one before it leaps */
#define AE_FEW_WORDS 64       /* a time that stands for no more words than these is not doubted */
#define AE_CONTEXT 8          /* so many steps before a doubtful one must be usual */

typedef struct {
    int64_t last;             /* the last TIME_HIGH word, 0 before it; DAT: the last time, or -1 */
    int64_t stride;           /* EVT2, EVT4: 4; EVT2.1: 8 */
    int64_t typed;            /* EVT2.1: the byte of a word at which its upper half begins */
    int64_t high;             /* EVT2, EVT2.1, EVT4: the type of TIME_HIGH */
    int64_t reserved;         /* the same: the set of types that there are not, bit i for i; DAT: bits
                                 that are 0 in the upper half of every record */
    int64_t events;           /* EVT2, EVT2.1, EVT4: the set of types of events */
    int64_t vectors;          /* EVT4: the set of types after which a word has no type */
    int64_t masked;           /* EVT4: one more than the number of a word after such a one, 0: none */
    int64_t mask;             /* the bits of the clock */
    int64_t leap;             /* nobody's events are late by more: in units of the clock */
    int64_t far;              /* a longer step is one that somebody has paused for, or a fault */
    int64_t words;            /* looked at so far */
    int64_t place;            /* number of the last TIME_HIGH word that is a mark */
    int64_t time;             /* what it says */
    int64_t step;             /* from the one before, as if the clock never went back; -1: none */
    int64_t usual;            /* so many steps of 1 come before the next */
    int64_t orderly;          /* so many steps of at most leap / 16 */
    int64_t usual_before;     /* the same, before the last step */
    int64_t orderly_before;
    int64_t doubts;           /* words that are not as usual: somebody must look */
} ae_marks;

/* Write to `out` which of these words are TIME_HIGH and other than the one before, or of a reserved
 * type; of DAT, which records leap in time or have reserved bits. Return how many they are; `out`
 * has room for `words`. Where state->doubts stays 0, none of them is one that a `Mender` mends or
 * passes. */
size_t ae_evt2_marks(const uint8_t *data, size_t words, ae_marks *state, uint32_t *out);
size_t ae_evt3_marks(const uint8_t *data, size_t words, ae_marks *state, uint32_t *out);
size_t ae_dat_marks(const uint8_t *data, size_t words, ae_marks *state, uint32_t *out);

/* ---- follow.c: decoding as far as what follows bears it out ------------------------------------- */

#define AE_AHEAD_PIECES 64
#define AE_AHEAD_WORDS 320    /* so many are always ahead: a hole shows itself in them */
#define AE_AHEAD_TIMES 512    /* those said in them, and in front of them: a power of 2 */

/* Whole words in pieces, numbered through. Those before `stop` are borne out: no word up to `marked`
 * is doubted, and another time follows the last that they say. */
typedef struct {
    const uint8_t *data[64];  /* AE_AHEAD_PIECES */
    size_t words[64];         /* in each */
    size_t pieces;
    size_t first;             /* number of the first word of all */
    size_t at;                /* decoded up to here; not before `first`, nor behind `stop` */
    size_t stop;
    size_t marked;
    size_t said;              /* times so far, of which the last are kept, with the words that say them */
    size_t known;             /* those before `stop` */
    int64_t times[512];       /* AE_AHEAD_TIMES: number k at k % AE_AHEAD_TIMES */
    size_t places[512];
} ae_ahead;

/* Append to `out` what is borne out, marking words on the way, and inspect it, as ae_inspect does.
 * Return 1 where `out` has no room for more, 0 where what is borne out has been decoded, and all
 * words marked or one is doubted. */
int ae_evt2_follow(ae_ahead *ahead, ae_marks *marks, ae_evt2 *state, ae_inspection *seen,
                   ae_columns *out);
int ae_evt21_follow(ae_ahead *ahead, ae_marks *marks, ae_evt2 *state, ae_inspection *seen,
                    ae_columns *out);
int ae_evt3_follow(ae_ahead *ahead, ae_marks *marks, ae_evt3 *state, ae_inspection *seen,
                   ae_columns *out);
int ae_evt4_follow(ae_ahead *ahead, ae_marks *marks, ae_evt2 *state, ae_inspection *seen,
                   ae_columns *out);
int ae_dat_follow(ae_ahead *ahead, ae_marks *marks, ae_dat *state, ae_inspection *seen,
                  ae_columns *out);

#endif
