/* One function a subject: it sets that subject's function pointers for an instruction set. */
#ifndef AEVENTS_DISPATCH_H
#define AEVENTS_DISPATCH_H

void ae_evt2_select(int level);
void ae_evt21_write_select(int level);
void ae_evt3_select(int level);
void ae_evt4_select(int level);
void ae_evt4_write_select(int level);
void ae_dat_select(int level);
void ae_marks_select(int level);
void ae_aedat_select(int level);
void ae_es_select(int level);
void ae_accumulate_select(int level);
void ae_surface_select(int level);
void ae_voxels_select(int level);
void ae_inspect_select(int level);
void ae_filter_select(int level);
void ae_text_select(int level);
void ae_spif_select(int level);
void ae_emulate_select(int level);
void ae_spikes_select(int level);

#endif
