"""What can be wrong with the table `assets`: pure."""

from collections.abc import Iterator, Sequence

import msgspec

from selfedge.bindings.assets.limits import (
    WORKER_FIRST_RULE_MAX_CHARS,
    WORKER_FIRST_RULES_MAX,
)


def check_rules(rules: Sequence[str]) -> None:
    """Check the patterns of `run_worker_first`, as wrangler does.

    Raises:
        msgspec.ValidationError: says which is wrong, and why.
    """
    if fault := _fault(rules):
        raise msgspec.ValidationError(f"{fault} - at `$.run_worker_first`")


def _fault(rules: Sequence[str]) -> str | None:
    if not rules:
        return "Expected at least one rule, or true or false"
    if len(rules) > WORKER_FIRST_RULES_MAX:
        return f"{len(rules)} rules are more than {WORKER_FIRST_RULES_MAX}"
    if all(rule.startswith("!") for rule in rules):
        return "All rules begin with `!`: at least one must say what the Worker gets"
    return next(_faults(rules), None)


def _faults(rules: Sequence[str]) -> Iterator[str]:
    for index, rule in enumerate(rules):
        shown = f"The rule {rule[:WORKER_FIRST_RULE_MAX_CHARS]!r}"
        if not rule.removeprefix("!").startswith("/"):
            yield f"{shown} must begin with `/` or `!/`"
        if len(rule) > WORKER_FIRST_RULE_MAX_CHARS:
            yield f"{shown}… is longer than {WORKER_FIRST_RULE_MAX_CHARS} characters"
        if rule in rules[:index]:
            yield f"{shown} stands twice"
        if wider := next((one for one in rules if _covers(one, rule)), None):
            yield f"{shown} is redundant beside {wider!r}"


def _covers(wide: str, narrow: str) -> bool:
    return wide != narrow and wide.endswith("*") and narrow.startswith(wide[:-1])
