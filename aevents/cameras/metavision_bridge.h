/* The bridge to Metavision HAL, in C: read by a compiler of C++ and by cffi alike.
 *
 * What fails gives NULL or -1, and ae_hal_problem says why, to the same thread. Text that is given
 * is good until the next call of the same thread. A camera is used by one thread at a time.
 */

typedef struct ae_hal ae_hal;

typedef struct {
    uint16_t x, y;
    int16_t p;
    int64_t t;
} ae_hal_event;

typedef struct {
    int16_t p;
    int64_t t;
    int16_t id;
} ae_hal_edge;

/* What came together: bytes, or what HAL made of them. */
typedef struct {
    const uint8_t *data;
    size_t bytes;
    const ae_hal_event *event;
    size_t events;
    const ae_hal_edge *edge;
    size_t edges;
} ae_hal_piece;

enum { AE_HAL_NOTHING, AE_HAL_PIECE, AE_HAL_END };

const char *ae_hal_problem(void);

/* The serial numbers of cameras, a line each. */
const char *ae_hal_list(void);

ae_hal *ae_hal_open(const char *serial);
ae_hal *ae_hal_open_recording(const char *path);

/* What a RAW file of this camera would begin with, its size and names added. */
const char *ae_hal_header(ae_hal *camera);

/* Lines of a name and a value. */
const char *ae_hal_biases(ae_hal *camera);
int ae_hal_set_bias(ae_hal *camera, const char *name, int value);
int ae_hal_set_roi(ae_hal *camera, int left, int top, int width, int height);
int ae_hal_set_event_rate(ae_hal *camera, uint32_t rate);
int ae_hal_watch_edges(ae_hal *camera);

/* Let data come, decoded or not. At most `queue` pieces wait; of a camera more are dropped, of a
 * recording they wait their turn. `come` is called with `argument`, in another thread, after each.
 */
int ae_hal_start(ae_hal *camera, int decoded, size_t queue, void (*come)(void *), void *argument);

/* Give what has come next, good until the next call; after the last of a recording, the end; -1
 * when the camera is lost.
 */
int ae_hal_next(ae_hal *camera, ae_hal_piece *piece);
uint64_t ae_hal_overruns(ae_hal *camera);

/* Stop what has been started, and give the camera back. */
void ae_hal_close(ae_hal *camera);
