"""A viewer and its server, together."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

from aevents.viewer.app import app_of
from aevents.viewer.folder import Folder
from aevents.viewer.server import Place, serving
from aevents.viewer.shows import Show
from aevents.viewer.viewer import Make, Viewer


class Served:
    """A viewer that listens at a place, with a token where others than this machine can reach
    it.
    """

    def __init__(
        self, place: Place, folder: Folder | None = None, make: Make | None = None,
        *, token: str | None = None,
    ) -> None:  # fmt: skip
        self.viewer: Viewer = Viewer(folder, make, near=not place.open)
        self.token: str | None = token or (secrets.token_urlsafe() if place.open else None)
        self.port: int = 0
        self._place = place

    @property
    def url(self) -> str:
        """The address to open."""
        return self._place.url(self.port, self.token)

    @asynccontextmanager
    async def running(self, shows: Iterable[Show] = ()) -> AsyncIterator[str]:
        """Show these, and serve them while the body runs; give the address. Raises what `serving`
        raises.
        """
        make = partial(app_of, self.viewer, host=self._place.host, token=self.token)
        async with self.viewer.running(), serving(self._place, make, self._at):
            for show in shows:
                self.viewer.add(show)
            yield self.url

    def _at(self, port: int) -> None:
        self.port = port
