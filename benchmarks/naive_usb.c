/* What anyone would write in C to take EVT3 of a camera by libusb, to compare with: for
 * bench_camera.py. The functions are libusb's, by address. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "naive_decode.c"

struct transfer {
    void *handle;
    uint8_t flags;
    unsigned char endpoint, type;
    unsigned timeout;
    int status, length, actual;
    void (*callback)(struct transfer *);
    void *user;
    unsigned char *buffer;
    int packets;
};
typedef struct {
    void *allocate, *submit, *cancel, *work, *release;
} calls;

static int (*submit)(struct transfer *);
static naive *columns;
static int64_t events, bytes;
static int flying, ending;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void came(struct transfer *one)
{
    if (one->status == 0) {
        events += (int64_t)naive_evt3((uint16_t *)one->buffer, (size_t)one->actual / 2, columns);
        bytes += one->actual;
    }
    if (ending || one->status || submit(one))
        flying--;
}

/* Take what comes for so many seconds, into columns with room for all events of a transfer; return
 * how many bytes it were, and in `found` how many events. */
int64_t naive_usb(const calls *functions, void *context, void *handle, int endpoint, int size,
                  int count, double seconds, naive *into, int64_t *found)
{
    struct transfer **all = malloc(sizeof *all * (size_t)count);
    struct transfer *(*allocate)(int) = functions->allocate;
    int (*cancel)(struct transfer *) = functions->cancel;
    int (*work)(void *, struct timeval *, int *) = functions->work;
    void (*release)(struct transfer *) = functions->release;
    submit = functions->submit, columns = into, events = bytes = flying = ending = 0;
    for (int i = 0; i < count; i++) {
        all[i] = allocate(0);
        all[i]->handle = handle, all[i]->endpoint = (unsigned char)endpoint, all[i]->type = 2;
        all[i]->buffer = malloc((size_t)size), all[i]->length = size, all[i]->callback = came;
        flying += submit(all[i]) == 0;
    }
    for (double end = now() + seconds; now() < end;) {
        struct timeval wait = {0, 100000};
        work(context, &wait, NULL);
    }
    int64_t taken = bytes;
    *found = events;
    ending = 1;
    for (int i = 0; i < count; i++)
        cancel(all[i]);
    while (flying > 0) {
        struct timeval wait = {0, 100000};
        work(context, &wait, NULL);
    }
    for (int i = 0; i < count; i++) {
        free(all[i]->buffer);
        release(all[i]);
    }
    free(all);
    return taken;
}
