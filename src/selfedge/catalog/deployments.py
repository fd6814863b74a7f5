"""Which versions of a Worker clients reach: edits, pure."""

from collections.abc import Sequence

from msgspec.structs import replace

from selfedge.catalog.model import Deployment, ScriptState, Share
from selfedge.errors import ApiError

DEPLOYMENTS_KEPT = 20
SHARES_MAX = 2
NO_VERSION = 10092
BAD_DEPLOYMENT = 10089


def current(script: ScriptState) -> Deployment | None:
    """Return the deployment that counts; None: the Worker was never deployed."""
    return script.deployments[0] if script.deployments else None


def is_live(script: ScriptState, version_id: str) -> bool:
    """Return whether clients may reach a version."""
    deployment = current(script)
    return deployment is not None and any(
        share.version_id == version_id for share in deployment.versions
    )


def deployed(script: ScriptState, deployment: Deployment) -> ScriptState:
    """Make a deployment the one that counts.

    Raises:
        ApiError: a version is unknown, or the shares make no whole.
    """
    check_shares(script, deployment.versions)
    kept = (deployment, *script.deployments)[:DEPLOYMENTS_KEPT]
    return replace(script, deployments=kept)


def check_shares(script: ScriptState, shares: Sequence[Share]) -> None:
    """Check the parts of a deployment.

    Raises:
        ApiError: a version is unknown, or the shares make no whole.
    """
    if not 1 <= len(shares) <= SHARES_MAX:
        raise _bad(
            f"A deployment has one or two versions, not {len(shares)}. Deploy one at "
            "100 percent, or two whose percentages make 100."
        )
    ids = [share.version_id for share in shares]
    if len(set(ids)) < len(ids):
        raise _bad(f"Version {ids[0]} stands twice in the deployment.")
    for share in shares:
        if share.version_id not in script.versions:
            raise ApiError(
                f"{script.name} has no version {share.version_id[:80]}.",
                status=404,
                number=NO_VERSION,
            )
        if not 0 <= share.percentage <= 100:
            raise _bad(
                f"The percentage of version {share.version_id} must be from 0 to 100, "
                f"not {share.percentage:g}."
            )
    total = sum(share.percentage for share in shares)
    if abs(total - 100) > 0.001:
        raise _bad(f"The percentages must make 100, not {total:g}.")


def _bad(message: str) -> ApiError:
    return ApiError(message, status=400, number=BAD_DEPLOYMENT)
