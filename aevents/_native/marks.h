/* What marks words, some of a piece at a time: for follow.c. */
#ifndef AEVENTS_MARKS_H
#define AEVENTS_MARKS_H
#include "cpu.h"
#include "ahead.h"

/* Those from `start` to `stop` of `words` words. Before them come state->words others, and those
 * before `start`. */
typedef struct {
    const uint8_t *data;
    size_t start, stop, words;
} ae_words;

/* Writes the numbers of the marked words to `out`, and returns how many they are. */
typedef size_t ae_marks_function(ae_words in, ae_marks *state, uint32_t *out);

ae_marks_function ae_evt2_mark, ae_evt3_mark, ae_dat_mark;

#endif
