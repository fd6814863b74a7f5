"""What cron triggers refuse.

CronError
└── InvalidCron     not an expression that ever matches
"""

from selfedge.errors import UserError


class CronError(UserError):
    """Root of what cron triggers refuse."""

    code = "cron"


class InvalidCron(CronError):
    """Not a cron expression, or one that never matches."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(
            f"The cron expression {text[:100]!r} is wrong: {why}. It has five fields "
            "(minute, hour, day of month, month, day of week), such as */5 * * * *."
        )
