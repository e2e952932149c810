"""A viewer and its server begin and end together."""

from __future__ import annotations

from aevents.viewer.serve import Served
from aevents.viewer.server import Place
from tests.viewer.pages import page_at
from tests.viewer.test_app import bar


async def test_shows_are_served_at_the_address_that_is_given() -> None:
    server = Served(Place(port=0))
    async with server.running([bar()]) as url:
        assert url == server.url == f"http://127.0.0.1:{server.port}"
        assert server.token is None
        async with page_at(url) as page:
            assert [one["name"] for one in (await page.told("hello"))["shows"]] == ["bar"]


def test_a_token_is_made_where_others_can_come() -> None:
    tokens = {Served(Place("0.0.0.0", 0, insecure=True)).token for _ in range(10)}
    assert len(tokens) == 10
    assert None not in tokens
