"""What a query of logs may ask for."""

import pytest

from selfedge.control.workers.logs import wanted_of
from selfedge.errors import ApiError

NOW_S = 1_000_000.0


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1h", (NOW_S - 3600) * 1000),
        ("2d", (NOW_S - 2 * 86400) * 1000),
        ("1700000000000", 1_700_000_000_000),
        ("2026-10-01T12:00:00Z", 1_790_856_000_000),
        ("2026-10-01T12:00:00", 1_790_856_000_000),
    ],
)
def test_moments_are_told_in_three_ways(text, moment):
    assert wanted_of({"since": text}, NOW_S).since_ms == moment


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"},
        {"until": ""},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "٣"},
        {"what": "1"},
        {"since": "9999999999d"},
    ],
)
def test_nonsense_is_refused(query):
    with pytest.raises(ApiError) as refused:
        wanted_of(query, NOW_S)
    assert refused.value.status == 400
