// A stand-in for Metavision HAL: cameras that play recordings, and remember how they are set.
//
// Its cameras are plugged in, pulled out and made to fail by the functions at the end. What it
// decodes are words of EVT2, whatever the header calls them.

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <thread>

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
#include <metavision/sdk/base/events/event_cd.h>
#include <metavision/sdk/base/events/event_ext_trigger.h>

namespace Metavision {

// What a camera, or a file, plays, and how far it is.
struct Play {
    std::map<std::string, std::string> fields, settings;
    std::map<std::string, int> biases{{"bias_diff_off", 0}, {"bias_diff_on", 0}, {"bias_fo", 0}};
    std::vector<uint8_t> data;
    size_t buffer = 1 << 16;
    bool recording = true, endless = false;

    std::mutex mutex;
    std::condition_variable changed;
    size_t at = 0;
    bool running = false, gone = false, taken = false;
};

} // namespace Metavision

using namespace Metavision;

namespace {

std::mutex mutex;
std::map<std::string, std::shared_ptr<Play>> plugged;
std::string fails;
int opening_ms = 0;

void may_fail(const char *where) {
    std::lock_guard<std::mutex> lock(mutex);
    if (fails == where)
        throw std::runtime_error(std::string("no luck with ") + where);
}

std::shared_ptr<Play> loaded(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw std::runtime_error("Unable to open RAW file '" + path + "'");
    auto play = std::make_shared<Play>();
    for (std::string line; file.peek() == '%' && std::getline(file, line);) {
        auto space = line.find(' ', 2);
        if (line != "% end" && space != std::string::npos)
            play->fields[line.substr(2, space - 2)] = line.substr(space + 1);
        if (line == "% end")
            break;
    }
    play->data.assign(std::istreambuf_iterator<char>(file), {});
    return play;
}

struct Geometry : I_Geometry {
    explicit Geometry(const std::string &text) { std::sscanf(text.c_str(), "%dx%d", &width, &height); }
    int get_width() const override { return width; }
    int get_height() const override { return height; }
    int width = 0, height = 0;
};

struct Identification : I_HW_Identification {
    explicit Identification(std::shared_ptr<Play> play) : play(std::move(play)) {}
    std::string get_serial() const override { return play->fields["serial_number"]; }
    SensorInfo get_sensor_info() const override { return {"IMX636"}; }
    std::string get_current_data_encoding_format() const override { return "EVT3"; }
    std::shared_ptr<Play> play;
};

struct Biases : I_LL_Biases {
    explicit Biases(std::shared_ptr<Play> play) : play(std::move(play)) {}
    std::map<std::string, int> get_all_biases() override { return play->biases; }
    std::shared_ptr<Play> play;
};

struct Region : I_ROI {
    explicit Region(std::shared_ptr<Play> play) : play(std::move(play)) {}
    bool enable(bool state) override {
        play->settings["roi_on"] = state ? "1" : "0";
        return true;
    }
    bool set_mode(const Mode &mode) override { return mode == Mode::ROI; }
    std::shared_ptr<Play> play;
};

struct Trigger : I_TriggerIn {
    explicit Trigger(std::shared_ptr<Play> play) : play(std::move(play)) {}
    bool enable(const Channel &channel) override {
        play->settings["edges"] = std::to_string(int(channel));
        return true;
    }
    std::shared_ptr<Play> play;
};

struct Rate : I_ErcModule {
    explicit Rate(std::shared_ptr<Play> play) : play(std::move(play)) {}
    bool enable(bool b) override {
        play->settings["rate_on"] = b ? "1" : "0";
        return true;
    }
    bool set_cd_event_rate(uint32_t events_per_sec) override {
        play->settings["rate"] = std::to_string(events_per_sec);
        return events_per_sec >= 1000;
    }
    std::shared_ptr<Play> play;
};

struct Decoder : I_EventsStreamDecoder {
    Decoder(std::shared_ptr<I_EventDecoder<EventCD>> events,
            std::shared_ptr<I_EventDecoder<EventExtTrigger>> edges)
        : events(std::move(events)), edges(std::move(edges)) {}
    void decode(const RawData *const raw_data_begin, const RawData *const raw_data_end) override {
        may_fail("decode");
        std::vector<EventCD> found;
        std::vector<EventExtTrigger> risen;
        for (auto at = raw_data_begin; at + 4 <= raw_data_end; at += 4) {
            uint32_t word;
            std::memcpy(&word, at, 4);
            timestamp t = high << 6 | (word >> 22 & 0x3F);
            if (word >> 28 == 8)
                high = word & 0xFFFFFFF;
            else if (word >> 28 <= 1)
                found.push_back({{(unsigned short)(word >> 11 & 0x7FF), (unsigned short)(word & 0x7FF),
                                  short(word >> 28), t}});
            else if (word >> 28 == 0xA)
                risen.push_back({short(word & 1), t, short(word >> 8 & 0x1F)});
        }
        edges->add_event_buffer(risen.data(), risen.data() + risen.size());
        events->add_event_buffer(found.data(), found.data() + found.size());
    }
    timestamp high = 0;
    std::shared_ptr<I_EventDecoder<EventCD>> events;
    std::shared_ptr<I_EventDecoder<EventExtTrigger>> edges;
};

std::unique_ptr<Device> device_of(const std::shared_ptr<Play> &play) {
    auto events = std::make_shared<I_EventDecoder<EventCD>>();
    auto edges = std::make_shared<I_EventDecoder<EventExtTrigger>>();
    auto device = std::make_unique<Device>();
    device->facilities = {std::make_shared<I_EventsStream>(play),
                          std::make_shared<Geometry>(play->fields["geometry"]),
                          std::make_shared<Identification>(play),
                          events,
                          edges,
                          std::make_shared<Decoder>(events, edges)};
    if (!play->recording)
        for (std::shared_ptr<I_Facility> one : std::vector<std::shared_ptr<I_Facility>>{
                 std::make_shared<Biases>(play), std::make_shared<Region>(play),
                 std::make_shared<Trigger>(play), std::make_shared<Rate>(play)})
            device->facilities.push_back(one);
    return device;
}

} // namespace

namespace Metavision {

RawFileHeader I_HW_Identification::get_header() const {
    return RawFileHeader(dynamic_cast<const Identification &>(*this).play->fields);
}

bool I_LL_Biases::set(const std::string &bias_name, int bias_value) {
    if (bias_value < -100 || bias_value > 100)
        return false;
    dynamic_cast<Biases &>(*this).play->biases.at(bias_name) = bias_value;
    return true;
}

bool I_ROI::set_window(const Window &window) {
    std::ostringstream text;
    text << window.x << "," << window.y << "," << window.width << "x" << window.height;
    dynamic_cast<Region &>(*this).play->settings["roi"] = text.str();
    return true;
}

I_EventsStream::I_EventsStream(std::shared_ptr<Play> play) : play_(std::move(play)) {}

I_EventsStream::~I_EventsStream() {
    stop();
    std::lock_guard<std::mutex> lock(play_->mutex);
    play_->taken = false;
}

void I_EventsStream::start() {
    may_fail("start");
    std::lock_guard<std::mutex> lock(play_->mutex);
    play_->running = true;
    play_->at = 0;
}

void I_EventsStream::stop() {
    std::lock_guard<std::mutex> lock(play_->mutex);
    play_->running = false;
    play_->changed.notify_all();
}

short I_EventsStream::wait_next_buffer() {
    std::unique_lock<std::mutex> lock(play_->mutex);
    play_->changed.wait(lock, [this] {
        return play_->gone || !play_->running || play_->recording || play_->at < play_->data.size();
    });
    if (play_->gone)
        throw std::runtime_error("the device has been disconnected");
    return play_->running && play_->at < play_->data.size() ? 1 : -1;
}

DataTransfer::BufferPtr I_EventsStream::get_latest_raw_data() {
    std::lock_guard<std::mutex> lock(play_->mutex);
    size_t stop = std::min(play_->at + play_->buffer, play_->data.size());
    auto buffer = std::make_shared<std::vector<uint8_t>>(play_->data.begin() + play_->at,
                                                         play_->data.begin() + stop);
    play_->at = play_->endless && stop == play_->data.size() ? 0 : stop;
    return buffer;
}

DeviceDiscovery::SerialList DeviceDiscovery::list() {
    may_fail("list");
    std::lock_guard<std::mutex> lock(mutex);
    SerialList serials;
    for (const auto &one : plugged)
        serials.push_back(one.first);
    return serials;
}

std::unique_ptr<Device> DeviceDiscovery::open(const std::string &serial) {
    int wait = 0;
    std::shared_ptr<Play> play;
    {
        std::lock_guard<std::mutex> lock(mutex);
        wait = opening_ms;
        play = plugged.at(serial);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(wait));
    may_fail("open");
    {
        std::lock_guard<std::mutex> lock(play->mutex);
        if (play->taken)
            throw std::runtime_error("the camera is in use");
        play->taken = true;
    }
    return device_of(play);
}

std::unique_ptr<Device> DeviceDiscovery::open_raw_file(const std::string &raw_file, RawFileConfig &file_config) {
    if (file_config.do_time_shifting_ || file_config.build_index_)
        throw std::runtime_error("times are to be as in the file, and no index is to be built");
    return device_of(loaded(raw_file));
}

} // namespace Metavision

extern "C" {

// Plug a camera in that plays a file, in buffers of so many bytes, once or again and again.
void hal_plug(const char *serial, const char *path, size_t buffer, int endless) {
    auto play = loaded(path);
    play->recording = false;
    play->endless = endless;
    play->buffer = buffer;
    play->fields["serial_number"] = std::string(serial).substr(std::string(serial).rfind(':') + 1);
    std::lock_guard<std::mutex> lock(mutex);
    plugged[serial] = play;
}

void hal_unplug(const char *serial) {
    std::lock_guard<std::mutex> lock(mutex);
    auto play = plugged.at(serial);
    plugged.erase(serial);
    std::lock_guard<std::mutex> within(play->mutex);
    play->gone = true;
    play->changed.notify_all();
}

// Fail at `list`, `open`, `start` or `decode`, or nowhere; and let opening take so long.
void hal_trouble(const char *where, int ms) {
    std::lock_guard<std::mutex> lock(mutex);
    fails = where;
    opening_ms = ms;
}

// How a camera is set, and whether it streams: a name and a value a line.
const char *hal_state(const char *serial) {
    static thread_local std::string text;
    std::lock_guard<std::mutex> lock(mutex);
    auto play = plugged.at(serial);
    std::lock_guard<std::mutex> within(play->mutex);
    std::ostringstream lines;
    for (const auto &one : play->biases)
        lines << one.first << " " << one.second << "\n";
    for (const auto &one : play->settings)
        lines << one.first << " " << one.second << "\n";
    lines << "streams " << play->running << "\ntaken " << play->taken << "\n";
    text = lines.str();
    return text.c_str();
}
}
