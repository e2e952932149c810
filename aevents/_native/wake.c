/* What threads of other libraries call, to wake a loop that waits for a file. */

#include "kernels.h"

#ifdef _WIN32
#include <io.h>
#define write _write
#else
#include <unistd.h>
#endif

static void wake(const ae_wake *waking)
{
    uint8_t one = 1;
    if (write(waking->file, &one, 1) < 0)
        return; /* the pipe is full: whoever reads it wakes anyhow */
}

void ae_wake_come(void *waking)
{
    wake(waking);
}

void ae_wake_gone(void *waking)
{
    ae_wake *gone = waking;
    gone->gone = 1;
    wake(gone);
}
