"""The table `triggers` of a wrangler file."""

from collections.abc import Sequence

import msgspec

from selfedge.bindings.cron.errors import InvalidCron
from selfedge.bindings.cron.expression import Cron
from selfedge.bindings.cron.expression import parse as parse_expression


class _Triggers(msgspec.Struct, frozen=True):
    crons: tuple[str, ...] = ()


def parse(table: object) -> Sequence[Cron]:
    """Return the expressions of `table`; one that stands twice counts once.

    Raises:
        msgspec.ValidationError: it is not of this shape, or an expression is wrong.
    """
    found: dict[str, Cron] = {}
    for index, text in enumerate(msgspec.convert(table, _Triggers).crons):
        try:
            cron = parse_expression(text)
        except InvalidCron as error:
            where = f" - at `$.crons[{index}]`"
            raise msgspec.ValidationError(f"{error}{where}") from error
        found.setdefault(cron.text, cron)
    return list(found.values())
