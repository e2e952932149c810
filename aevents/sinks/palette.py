"""The few colours of a GIF: of each picture its own, chosen by FFmpeg."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from av import VideoFrame


class Palette:
    """Turns pictures in RGB into ones of at most 256 colours, one after the other: nothing waits
    for the end of the video.
    """

    def __init__(self, width: int, height: int, rate: Fraction) -> None:
        from av import VideoFormat
        from av.filter import Graph

        self._graph = Graph()
        self._count = 0
        source = self._graph.add_buffer(
            width=width, height=height, format=VideoFormat("rgb24"), time_base=1 / rate
        )
        split = self._graph.add("split")
        choose = self._graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
        use = self._graph.add("paletteuse", "new=1:dither=none")
        sink = self._graph.add("buffersink")
        source.link_to(split)
        split.link_to(choose, 0)
        split.link_to(use, 1, 0)
        choose.link_to(use, 0, 1)
        use.link_to(sink)
        self._graph.configure()

    def __call__(self, picture: VideoFrame, /) -> VideoFrame:
        """Return the picture in the colours that suit it best."""
        picture.pts = self._count  # each at a time of its own, or it waits for the next
        self._count += 1
        self._graph.push(picture)
        return cast("VideoFrame", self._graph.pull())  # a graph of pictures alone
