"""What a call to the service can be answered with."""


class RateLimitError(Exception):
    """The call is not one of our module's."""
