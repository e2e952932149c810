// A stand-in for the public headers of Metavision HAL: only what our bridge uses, by the names and
// signatures of OpenEB 5. A line `//// PATH` begins the header of that path: tests/hal/sdk.py cuts them apart.

//// metavision/sdk/version.h
#define METAVISION_SDK_VERSION_MAJOR 5
#define METAVISION_SDK_VERSION_MINOR 1
#define METAVISION_SDK_VERSION_PATCH 1

//// metavision/sdk/base/utils/timestamp.h
#pragma once
#include <cstdint>
namespace Metavision {
using timestamp = std::int64_t;
}

//// metavision/sdk/base/utils/generic_header.h
#pragma once
#include <map>
#include <string>
namespace Metavision {
class GenericHeader {
public:
    using HeaderMap = std::map<std::string, std::string>;
    GenericHeader() = default;
    GenericHeader(const HeaderMap &header_map) : header_(header_map) {}
    const HeaderMap &get_header_map() const { return header_; }

private:
    HeaderMap header_;
};
}

//// metavision/sdk/base/events/event_cd.h
#pragma once
#include "metavision/sdk/base/utils/timestamp.h"
namespace Metavision {
class Event2d {
public:
    unsigned short x;
    unsigned short y;
    short p;
    timestamp t;
};
class EventCD : public Event2d {};
}

//// metavision/sdk/base/events/event_ext_trigger.h
#pragma once
#include "metavision/sdk/base/utils/timestamp.h"
namespace Metavision {
class EventExtTrigger {
public:
    short p;
    timestamp t;
    short id;
};
}

//// metavision/hal/utils/raw_file_header.h
#pragma once
#include "metavision/sdk/base/utils/generic_header.h"
namespace Metavision {
class RawFileHeader : public GenericHeader {
public:
    using GenericHeader::GenericHeader;
};
}

//// metavision/hal/utils/raw_file_config.h
#pragma once
#include <cstdint>
namespace Metavision {
class RawFileConfig {
public:
    uint32_t n_events_to_read_ = 1000000;
    uint32_t n_read_buffers_ = 3;
    bool do_time_shifting_ = true;
    bool build_index_ = true;
};
}

//// metavision/hal/utils/data_transfer.h
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>
namespace Metavision {
class DataTransfer {
public:
    using Data = uint8_t;
    class BufferPtr {
    public:
        BufferPtr() = default;
        BufferPtr(std::shared_ptr<std::vector<Data>> held) : held_(std::move(held)) {}
        explicit operator bool() const { return held_ != nullptr; }
        Data *data() const { return held_->data(); }
        size_t size() const { return held_->size(); }

    private:
        std::shared_ptr<std::vector<Data>> held_;
    };
};
}

//// metavision/hal/facilities/i_registrable_facility.h
#pragma once
namespace Metavision {
class I_Facility {
public:
    virtual ~I_Facility() = default;
};
template <typename F> class I_RegistrableFacility : public virtual I_Facility {};
}

//// metavision/hal/facilities/i_geometry.h
#pragma once
#include "metavision/hal/facilities/i_registrable_facility.h"
namespace Metavision {
class I_Geometry : public I_RegistrableFacility<I_Geometry> {
public:
    virtual int get_width() const = 0;
    virtual int get_height() const = 0;
};
}

//// metavision/hal/facilities/i_hw_identification.h
#pragma once
#include <string>
#include "metavision/hal/facilities/i_registrable_facility.h"
#include "metavision/hal/utils/raw_file_header.h"
namespace Metavision {
class I_HW_Identification : public I_RegistrableFacility<I_HW_Identification> {
public:
    struct SensorInfo {
        std::string name_;
    };
    virtual std::string get_serial() const = 0;
    virtual SensorInfo get_sensor_info() const = 0;
    virtual std::string get_current_data_encoding_format() const = 0;
    RawFileHeader get_header() const;
};
}

//// metavision/hal/facilities/i_ll_biases.h
#pragma once
#include <map>
#include <string>
#include "metavision/hal/facilities/i_registrable_facility.h"
namespace Metavision {
class I_LL_Biases : public I_RegistrableFacility<I_LL_Biases> {
public:
    bool set(const std::string &bias_name, int bias_value);
    virtual std::map<std::string, int> get_all_biases() = 0;
};
}

//// metavision/hal/facilities/i_roi.h
#pragma once
#include "metavision/hal/facilities/i_registrable_facility.h"
namespace Metavision {
class I_ROI : public I_RegistrableFacility<I_ROI> {
public:
    class Window {
    public:
        Window(int x, int y, int width, int height) : x(x), y(y), width(width), height(height) {}
        int x, y, width, height;
    };
    enum class Mode { ROI, RONI };
    virtual bool enable(bool state) = 0;
    virtual bool set_mode(const Mode &mode) = 0;
    bool set_window(const Window &window);
};
}

//// metavision/hal/facilities/i_trigger_in.h
#pragma once
#include "metavision/hal/facilities/i_registrable_facility.h"
namespace Metavision {
class I_TriggerIn : public I_RegistrableFacility<I_TriggerIn> {
public:
    enum class Channel { Main, Aux, Loopback };
    virtual bool enable(const Channel &channel) = 0;
};
}

//// metavision/hal/facilities/i_erc_module.h
#pragma once
#include <cstdint>
#include "metavision/hal/facilities/i_registrable_facility.h"
namespace Metavision {
class I_ErcModule : public I_RegistrableFacility<I_ErcModule> {
public:
    virtual bool enable(bool b) = 0;
    virtual bool set_cd_event_rate(uint32_t events_per_sec) = 0;
};
}

//// metavision/hal/facilities/i_event_decoder.h
#pragma once
#include <cstddef>
#include <functional>
#include <vector>
#include "metavision/hal/facilities/i_registrable_facility.h"
namespace Metavision {
template <typename Event> class I_EventDecoder : public I_RegistrableFacility<I_EventDecoder<Event>> {
public:
    using EventBufferCallback_t = std::function<void(const Event *begin, const Event *end)>;
    size_t add_event_buffer_callback(const EventBufferCallback_t &cb) {
        callbacks_.push_back(cb);
        return callbacks_.size();
    }
    void add_event_buffer(const Event *begin, const Event *end) {
        for (const auto &call : callbacks_)
            call(begin, end);
    }

private:
    std::vector<EventBufferCallback_t> callbacks_;
};
}

//// metavision/hal/facilities/i_events_stream_decoder.h
#pragma once
#include <cstdint>
#include "metavision/hal/facilities/i_registrable_facility.h"
namespace Metavision {
class I_EventsStreamDecoder : public I_RegistrableFacility<I_EventsStreamDecoder> {
public:
    using RawData = uint8_t;
    virtual void decode(const RawData *const raw_data_begin, const RawData *const raw_data_end) = 0;
};
}

//// metavision/hal/facilities/i_events_stream.h
#pragma once
#include <memory>
#include "metavision/hal/facilities/i_registrable_facility.h"
#include "metavision/hal/utils/data_transfer.h"
namespace Metavision {
struct Play;
class I_EventsStream : public I_RegistrableFacility<I_EventsStream> {
public:
    explicit I_EventsStream(std::shared_ptr<Play> play);
    ~I_EventsStream();
    void start();
    void stop();
    short wait_next_buffer();
    DataTransfer::BufferPtr get_latest_raw_data();

private:
    std::shared_ptr<Play> play_;
};
}

//// metavision/hal/device/device.h
#pragma once
#include <memory>
#include <vector>
#include "metavision/hal/facilities/i_registrable_facility.h"
namespace Metavision {
class Device {
public:
    template <typename FacilityType> FacilityType *get_facility() {
        for (auto &one : facilities)
            if (auto *found = dynamic_cast<FacilityType *>(one.get()))
                return found;
        return nullptr;
    }
    std::vector<std::shared_ptr<I_Facility>> facilities;
};
}

//// metavision/hal/device/device_discovery.h
#pragma once
#include <list>
#include <memory>
#include <string>
#include "metavision/hal/utils/raw_file_config.h"
namespace Metavision {
class Device;
class DeviceDiscovery {
public:
    using SerialList = std::list<std::string>;
    static SerialList list();
    static std::unique_ptr<Device> open(const std::string &serial);
    static std::unique_ptr<Device> open_raw_file(const std::string &raw_file, RawFileConfig &file_config);
};
}
