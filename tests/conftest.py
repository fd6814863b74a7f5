"""What all tests share."""

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no fault of what is tested; tests have a timeout of their own.
settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the expected results of golden tests",
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden tests rewrite what they expect."""
    return bool(request.config.getoption("--update-golden"))
