// The bridge to Metavision HAL 5: see metavision_bridge.h. Compiled on the user's machine, by
// `aevents doctor --build metavision`.
//
// Written to the headers of OpenEB 5 (github.com/prophesee-ai/openeb).

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <metavision/hal/device/device.h>
#include <metavision/hal/device/device_discovery.h>
#include <metavision/hal/facilities/i_erc_module.h>
#include <metavision/hal/facilities/i_event_decoder.h>
#include <metavision/hal/facilities/i_events_stream.h>
#include <metavision/hal/facilities/i_events_stream_decoder.h>
#include <metavision/hal/facilities/i_geometry.h>
#include <metavision/hal/facilities/i_hw_identification.h>
#include <metavision/hal/facilities/i_ll_biases.h>
#include <metavision/hal/facilities/i_roi.h>
#include <metavision/hal/facilities/i_trigger_in.h>
#include <metavision/hal/utils/raw_file_config.h>
#include <metavision/sdk/base/events/event_cd.h>
#include <metavision/sdk/base/events/event_ext_trigger.h>

extern "C" {
#include "metavision_bridge.h"
}

namespace mv = Metavision;

static_assert(sizeof(mv::EventCD) == sizeof(ae_hal_event));
static_assert(offsetof(mv::EventCD, p) == offsetof(ae_hal_event, p));
static_assert(offsetof(mv::EventCD, t) == offsetof(ae_hal_event, t));
static_assert(sizeof(mv::EventExtTrigger) == sizeof(ae_hal_edge));
static_assert(offsetof(mv::EventExtTrigger, t) == offsetof(ae_hal_edge, t));
static_assert(offsetof(mv::EventExtTrigger, id) == offsetof(ae_hal_edge, id));

namespace {

// More at once would keep the loop of a reader too long.
constexpr size_t most_bytes = 1 << 17;

thread_local std::string problem, text;

struct Piece {
    std::vector<uint8_t> data;
    std::vector<mv::EventCD> events;
    std::vector<mv::EventExtTrigger> edges;

    void clear() {
        data.clear();
        events.clear();
        edges.clear();
    }

    bool empty() const { return data.empty() && events.empty() && edges.empty(); }
};

} // namespace

struct ae_hal {
    std::unique_ptr<mv::Device> device;
    bool recording = false, decoded = false;
    mv::I_EventsStream *stream = nullptr;
    mv::I_EventsStreamDecoder *decoder = nullptr;
    size_t most = 0;
    void (*come)(void *) = nullptr;
    void *argument = nullptr;
    std::thread thread;
    Piece filling, taken;

    std::mutex mutex; // for what follows
    std::condition_variable room;
    std::deque<Piece> ready;
    std::vector<Piece> spare;
    uint64_t overruns = 0;
    bool running = false, ended = false;
    std::string lost;
};

namespace {

template <typename F, typename R> R guarded(R failed, F call) {
    try {
        return call();
    } catch (const std::exception &error) {
        problem = error.what();
    } catch (...) {
        problem = "HAL does not say why";
    }
    return failed;
}

template <typename Facility> Facility &facility(ae_hal *camera, const char *what) {
    if (auto *found = camera->device->get_facility<Facility>())
        return *found;
    throw std::runtime_error(std::string("it has no ") + what);
}

void require(bool done, const std::string &what) {
    if (!done)
        throw std::runtime_error("HAL does not " + what);
}

ae_hal *opened(std::unique_ptr<mv::Device> device, bool recording) {
    require(device != nullptr, "open it");
    auto camera = std::make_unique<ae_hal>();
    camera->device = std::move(device);
    camera->recording = recording;
    camera->stream = &facility<mv::I_EventsStream>(camera.get(), "stream of events");
    return camera.release();
}

// Return whether to go on. A recording waits until there is room.
bool pushed(ae_hal *camera) {
    std::unique_lock<std::mutex> lock(camera->mutex);
    if (camera->recording)
        camera->room.wait(lock, [camera] {
            return camera->ready.size() < camera->most || !camera->running;
        });
    if (!camera->running)
        return false;
    if (camera->ready.size() >= camera->most) {
        camera->overruns++;
        camera->filling.clear();
        return true;
    }
    camera->ready.push_back(std::move(camera->filling));
    camera->filling = Piece();
    if (!camera->spare.empty()) {
        camera->filling = std::move(camera->spare.back());
        camera->spare.pop_back();
    }
    lock.unlock();
    camera->come(camera->argument);
    return true;
}

void read(ae_hal *camera) {
    while (camera->stream->wait_next_buffer() > 0) {
        auto buffer = camera->stream->get_latest_raw_data();
        if (!buffer)
            continue;
        const uint8_t *data = buffer.data();
        for (size_t at = 0, size = buffer.size(); at < size; at += most_bytes) {
            const uint8_t *end = data + std::min(at + most_bytes, size);
            if (camera->decoded)
                camera->decoder->decode(data + at, end);
            else
                camera->filling.data.assign(data + at, end);
            if (!camera->filling.empty() && !pushed(camera))
                return;
        }
    }
}

void run(ae_hal *camera) {
    bool whole = guarded(false, [camera] {
        read(camera);
        return true;
    });
    {
        std::lock_guard<std::mutex> lock(camera->mutex);
        camera->ended = true;
        if (!whole)
            camera->lost = problem;
    }
    camera->come(camera->argument);
}

void listen(ae_hal *camera) {
    camera->decoder = &facility<mv::I_EventsStreamDecoder>(camera, "decoder");
    facility<mv::I_EventDecoder<mv::EventCD>>(camera, "decoder of events")
        .add_event_buffer_callback([camera](const mv::EventCD *begin, const mv::EventCD *end) {
            auto &events = camera->filling.events;
            events.insert(events.end(), begin, end);
        });
    if (auto *edges = camera->device->get_facility<mv::I_EventDecoder<mv::EventExtTrigger>>())
        edges->add_event_buffer_callback(
            [camera](const mv::EventExtTrigger *begin, const mv::EventExtTrigger *end) {
                camera->filling.edges.insert(camera->filling.edges.end(), begin, end);
            });
}

std::map<std::string, std::string> header(ae_hal *camera) {
    auto &about = facility<mv::I_HW_Identification>(camera, "identification");
    auto &size = facility<mv::I_Geometry>(camera, "geometry");
    auto fields = about.get_header().get_header_map();
    fields.emplace("format", about.get_current_data_encoding_format());
    fields.emplace("serial_number", about.get_serial());
    fields.emplace("sensor_name", about.get_sensor_info().name_);
    fields["geometry"] = std::to_string(size.get_width()) + "x" + std::to_string(size.get_height());
    return fields;
}

} // namespace

extern "C" {

const char *ae_hal_problem() { return problem.c_str(); }

const char *ae_hal_list() {
    return guarded((const char *)nullptr, [] {
        text.clear();
        for (const auto &serial : mv::DeviceDiscovery::list())
            text += serial + "\n";
        return text.c_str();
    });
}

ae_hal *ae_hal_open(const char *serial) {
    return guarded((ae_hal *)nullptr,
                   [&] { return opened(mv::DeviceDiscovery::open(serial), false); });
}

ae_hal *ae_hal_open_recording(const char *path) {
    return guarded((ae_hal *)nullptr, [&] {
        mv::RawFileConfig config;
        config.do_time_shifting_ = false; // times as they are in the file
        config.build_index_ = false;      // which would write a file beside it
        return opened(mv::DeviceDiscovery::open_raw_file(path, config), true);
    });
}

const char *ae_hal_header(ae_hal *camera) {
    return guarded((const char *)nullptr, [&] {
        text.clear();
        for (const auto &field : header(camera))
            text += "% " + field.first + " " + field.second + "\n";
        text += "% end\n";
        return text.c_str();
    });
}

const char *ae_hal_biases(ae_hal *camera) {
    return guarded((const char *)nullptr, [&] {
        text.clear();
        for (const auto &bias : facility<mv::I_LL_Biases>(camera, "biases").get_all_biases())
            text += bias.first + " " + std::to_string(bias.second) + "\n";
        return text.c_str();
    });
}

int ae_hal_set_bias(ae_hal *camera, const char *name, int value) {
    return guarded(-1, [&] {
        auto &biases = facility<mv::I_LL_Biases>(camera, "biases");
        require(biases.set(name, value), "set " + std::string(name) + " to " + std::to_string(value));
        return 0;
    });
}

int ae_hal_set_roi(ae_hal *camera, int left, int top, int width, int height) {
    return guarded(-1, [&] {
        auto &roi = facility<mv::I_ROI>(camera, "region of interest");
        require(roi.set_mode(mv::I_ROI::Mode::ROI) &&
                    roi.set_window(mv::I_ROI::Window(left, top, width, height)) && roi.enable(true),
                "set the region of interest");
        return 0;
    });
}

int ae_hal_set_event_rate(ae_hal *camera, uint32_t rate) {
    return guarded(-1, [&] {
        auto &control = facility<mv::I_ErcModule>(camera, "control of the event rate");
        require(control.set_cd_event_rate(rate) && control.enable(true), "limit the event rate");
        return 0;
    });
}

int ae_hal_watch_edges(ae_hal *camera) {
    return guarded(-1, [&] {
        auto &input = facility<mv::I_TriggerIn>(camera, "trigger input");
        require(input.enable(mv::I_TriggerIn::Channel::Main), "switch the trigger input on");
        return 0;
    });
}

int ae_hal_start(ae_hal *camera, int decoded, size_t queue, void (*come)(void *), void *argument) {
    return guarded(-1, [&] {
        if (decoded)
            listen(camera);
        camera->decoded = decoded;
        camera->most = queue;
        camera->come = come;
        camera->argument = argument;
        camera->stream->start();
        camera->running = true;
        camera->thread = std::thread(run, camera);
        return 0;
    });
}

int ae_hal_next(ae_hal *camera, ae_hal_piece *piece) {
    std::lock_guard<std::mutex> lock(camera->mutex);
    if (camera->ready.empty()) {
        if (!camera->ended)
            return AE_HAL_NOTHING;
        if (camera->recording && camera->lost.empty())
            return AE_HAL_END;
        problem = camera->lost.empty() ? "it says no more" : camera->lost;
        return -1;
    }
    camera->taken.clear();
    camera->spare.push_back(std::move(camera->taken));
    camera->taken = std::move(camera->ready.front());
    camera->ready.pop_front();
    camera->room.notify_one();
    const Piece &now = camera->taken;
    piece->data = now.data.data();
    piece->bytes = now.data.size();
    piece->event = (const ae_hal_event *)now.events.data();
    piece->events = now.events.size();
    piece->edge = (const ae_hal_edge *)now.edges.data();
    piece->edges = now.edges.size();
    return AE_HAL_PIECE;
}

uint64_t ae_hal_overruns(ae_hal *camera) {
    std::lock_guard<std::mutex> lock(camera->mutex);
    return camera->overruns;
}

void ae_hal_close(ae_hal *camera) {
    {
        std::lock_guard<std::mutex> lock(camera->mutex);
        camera->running = false;
        camera->room.notify_all();
    }
    if (camera->thread.joinable()) {
        guarded(0, [camera] { // a camera that is gone cannot be stopped
            camera->stream->stop();
            return 0;
        });
        camera->thread.join();
    }
    guarded(0, [camera] {
        camera->device.reset();
        return 0;
    });
    delete camera;
}
}
