import pytest

from selfedge.telemetry.sampling import kept_share


@pytest.mark.parametrize(
    ("observability", "share"),
    [
        ({}, 0.0),
        ({"enabled": False, "head_sampling_rate": 1}, 0.0),
        ({"enabled": True}, 1.0),
        ({"enabled": True, "head_sampling_rate": 0.25}, 0.25),
        ({"logs": {"enabled": True}}, 1.0),
        ({"enabled": True, "logs": {"enabled": False}}, 0.0),
        ({"enabled": True, "logs": {"head_sampling_rate": 0.5}}, 0.5),
        ({"enabled": True, "head_sampling_rate": 7}, 1.0),
        ({"enabled": True, "head_sampling_rate": "x", "logs": 3}, 1.0),
    ],
)
def test_the_share_is_that_of_the_wrangler_file(observability, share):
    assert kept_share(observability) == share
