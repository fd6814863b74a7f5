"""What wrk prints becomes a rate, or the reason why there is none."""

import pytest
from load import parse_rate
from probe import Failed

GOOD = """Running 2s test @ http://127.0.0.1:8787/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.52ms  401.61us  11.46ms   92.50%
    Req/Sec    21.21k     1.71k   23.34k    80.00%
  42227 requests in 2.00s, 7.05MB read
Requests/sec:  21101.33
Transfer/sec:      3.52MB
"""


def test_a_rate_is_read() -> None:
    assert parse_rate(GOOD) == 21101.33


@pytest.mark.parametrize(
    "fault",
    [
        "  Non-2xx or 3xx responses: 17",
        "  Socket errors: connect 0, read 3, write 0, timeout 0",
    ],
)
def test_a_rate_with_errors_is_none(fault: str) -> None:
    """Answers that failed may be faster than good ones: no figure comes of them."""
    with pytest.raises(Failed, match=fault.strip()):
        parse_rate(GOOD.replace("Requests/sec", f"{fault}\nRequests/sec"))


def test_silence_is_a_failure() -> None:
    with pytest.raises(Failed, match="no rate"):
        parse_rate("")
