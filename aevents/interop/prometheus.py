"""Prometheus: what streams have delivered and lost, for `/metrics`.

Importing this raises `MissingExtraError` without prometheus-client.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol

from aevents._contracts import Report
from aevents.errors import missing_extra

try:
    from prometheus_client import CollectorRegistry, make_asgi_app
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector
except ImportError as _missing:
    raise missing_extra("prometheus-client", "web") from _missing

__all__ = ["Metrics", "Reporting"]


class Reporting(Protocol):
    """What is running and says how it goes: `Hub`, `Live`, an opened stream."""

    @property
    def report(self) -> Report:
        """What has happened so far."""


class Metrics(Collector):
    """Figures of running streams, by the names given here, each time somebody asks.

    `aevents_events_total` and `aevents_items_total` count what came, `aevents_counts_total` what
    was not as it should be, by name, as `Report` does; `aevents_subscribers` is a gauge, of hubs.
    Put it into a registry of yours (`REGISTRY.register(metrics)`), or mount `metrics.app()`.
    """

    def __init__(self, **streams: Reporting) -> None:
        self._streams = streams

    def app(self) -> Callable[[Any, Any, Any], Awaitable[None]]:
        """Return an ASGI application that tells these figures alone: `app.mount("/metrics", …)`."""
        registry = CollectorRegistry()
        registry.register(self)
        return make_asgi_app(registry)

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of now."""
        events = CounterMetricFamily("aevents_events", "Events that came.", labels=["stream"])
        items = CounterMetricFamily(
            "aevents_items", "Items that came: batches or frames.", labels=["stream"]
        )
        counts = CounterMetricFamily(
            "aevents_counts", "What was not as it should be.", labels=["stream", "name"]
        )
        subscribers = GaugeMetricFamily(
            "aevents_subscribers", "Who is reading now.", labels=["stream"]
        )
        for name, stream in self._streams.items():
            report = stream.report
            events.add_metric([name], report.events)
            items.add_metric([name], report.delivered)
            for what, count in report.anomalies.items():
                counts.add_metric([name, what], count)
            if hasattr(stream, "subscribers"):
                subscribers.add_metric([name], stream.subscribers)
        yield from (events, items, counts, subscribers)
