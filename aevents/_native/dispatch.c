/* Which instruction set the kernels use: asked of the CPU once, and settable for tests. */
#include "dispatch.h"
#include "cpu.h"
#include "kernels.h"

int ae_cpu_level(void)
{
#if AE_X86 && !defined(AE_SIMDE)
    __builtin_cpu_init();
    if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
          __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt")))
        return 1;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
        __builtin_cpu_supports("avx512bitalg") && __builtin_cpu_supports("avx512vpopcntdq"))
        return 4;
    return 3;
#elif defined(AE_SIMDE)
    return 4;
#else
    return 1;
#endif
}

int ae_select(int level)
{
    int best = ae_cpu_level();
    if (level > best)
        level = best;
    level = level >= 4 ? 4 : level == 3 ? 3 : 1;
    ae_evt2_select(level);
    ae_evt21_write_select(level);
    ae_evt3_select(level);
    ae_evt4_select(level);
    ae_evt4_write_select(level);
    ae_dat_select(level);
    ae_marks_select(level);
    ae_aedat_select(level);
    ae_es_select(level);
    ae_accumulate_select(level);
    ae_surface_select(level);
    ae_voxels_select(level);
    ae_inspect_select(level);
    ae_filter_select(level);
    ae_text_select(level);
    ae_spif_select(level);
    ae_emulate_select(level);
    ae_spikes_select(level);
    return level;
}
