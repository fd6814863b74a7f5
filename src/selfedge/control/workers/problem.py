"""What can be wrong with a call about Workers, in Cloudflare's numbers."""

from selfedge.errors import ApiError

INVALID = 10021  # code, metadata or settings that cannot run
TOO_LARGE = 10027
NAME_TAKEN = 10053  # a secret has the name of another binding
VARIABLE_TOO_LARGE = 10054
TOO_MANY_BINDINGS = 10055
NO_SECRET = 10056
NOT_INHERITED = 10057
NO_CLASS = 10061
IN_USE = 10064
BAD_NAME = 10016
NO_SERVICE = 10143
BAD_CRON = 10100
MIGRATION_IN_VERSION = 10211
NOT_LATEST = 10215  # the latest version is not the one that is deployed
SECRETS_CHANGED = 10220
NO_VERSIONS = 10222
TOO_MANY_SCRIPTS = 10037
NO_TAIL = 10023
TAKEN = 10040  # there is a Worker of this name
BAD_UPLOAD = 10005


def invalid(message: str) -> ApiError:
    """Return what is said of a Worker that cannot run."""
    return ApiError(message, status=400, number=INVALID)


def bad(message: str, number: int) -> ApiError:
    """Return what the caller must mend (400)."""
    return ApiError(message, status=400, number=number)


def missing(message: str, number: int) -> ApiError:
    """Return what is not there (404)."""
    return ApiError(message, status=404, number=number)


def conflict(message: str, number: int) -> ApiError:
    """Return what something else stands against (409)."""
    return ApiError(message, status=409, number=number)
