"""The report of a run."""

from __future__ import annotations

from aevents import Damage, Report


def test_a_report_is_a_mapping_of_names_to_counts() -> None:
    report = Report(3, 500, {"torn_bytes": 2, "late_events": 4})
    assert dict(report) == {"delivered": 3, "events": 500, "torn_bytes": 2, "late_events": 4}
    assert report["torn_bytes"] == 2
    assert len(report) == 4
    assert (report.events, report.delivered) == (500, 3)
    assert report.anomalies == {"torn_bytes": 2, "late_events": 4}
    assert repr(report) == "Report(delivered=3, events=500, torn_bytes=2, late_events=4)"


def test_what_was_dropped_is_what_was_lost_not_what_was_odd() -> None:
    assert Report(1, 1, {"torn_bytes": 2, "late_events": 4, "outside_frame": 3}).dropped == 5
    assert Report(1, 1, {}).dropped == 0


def test_a_report_says_where_the_input_is_damaged() -> None:
    places = [Damage("torn_bytes", 4096, bytes=3)]
    assert Report(1, 1, {"torn_bytes": 3}, places).damage == tuple(places)
    assert Report(1, 1, {}).damage == ()
