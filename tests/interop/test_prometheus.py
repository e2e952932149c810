"""What `/metrics` tells, in the words of Prometheus."""

from __future__ import annotations

import importlib
import sys

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from aevents import Hub, MissingExtraError
from aevents.interop.prometheus import Metrics
from tests.junctions.streams import Live, batches, read
from tests.services import served

STREET = "stream", "street"


async def test_streams_tell_what_came_and_what_was_odd() -> None:
    app = FastAPI()
    async with Hub(Live(batches(20)).stream) as hub, hub.subscribe() as reading:
        app.mount("/metrics", Metrics(street=hub).app())
        await read(reading)
        async with served(app) as place, httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://{place}/metrics/")
    assert answer.headers["content-type"].startswith("text/plain")
    told = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert told == {
        ("aevents_events_total", STREET): 60,
        ("aevents_items_total", STREET): 20,
        ("aevents_counts_total", ("name", "odd"), STREET): 1,
        ("aevents_subscribers", STREET): 1,
    }


async def test_a_stream_that_is_open_tells_too_in_any_registry() -> None:
    registry = CollectorRegistry()
    async with Live(batches(2)).stream.open() as run:
        registry.register(Metrics(lane=run))
        await anext(run)
        assert registry.get_sample_value("aevents_events_total", {"stream": "lane"}) == 3
        assert registry.get_sample_value("aevents_subscribers", {"stream": "lane"}) is None


def test_without_prometheus_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "aevents.interop.prometheus")
    with pytest.raises(MissingExtraError, match=r"aevents\[web\]"):
        importlib.import_module("aevents.interop.prometheus")
