"""A camera of the network that speaks RTSP, by GStreamer: /jpeg, /h264 and, over UDP alone, /udp.

Runs under the system's Python, which has GStreamer. Listens on the port of the first argument, or
on a free one, and says which.
"""

import sys

import gi  # type: ignore[import-not-found]  # of the system's Python

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import (  # type: ignore[import-not-found]  # noqa: E402
    GLib,
    Gst,
    GstRtsp,
    GstRtspServer,
)

FORMAT = "video/x-raw,format=I420,width=64,height=48,framerate=50/1"
PICTURES = f"videotestsrc is-live=true pattern=ball ! {FORMAT}"
JPEG = "jpegenc ! rtpjpegpay name=pay0 pt=26"
H264 = "openh264enc gop-size=5 ! rtph264pay name=pay0 pt=96 config-interval=-1"
ANY = GstRtsp.RTSPLowerTrans.UDP | GstRtsp.RTSPLowerTrans.TCP
MOUNTS = {
    "/jpeg": (JPEG, ANY),
    "/h264": (H264, ANY),
    "/udp": (H264, GstRtsp.RTSPLowerTrans.UDP),
}

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
for path, (coding, protocols) in MOUNTS.items():
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {PICTURES} ! {coding} )")
    factory.set_protocols(protocols)
    server.get_mount_points().add_factory(path, factory)
if not server.attach(None):
    sys.exit(f"port {sys.argv[1]} is taken")
sys.stdout.write(f"{server.get_bound_port()}\n")
sys.stdout.flush()
GLib.MainLoop().run()
