"""What R2 refuses, in Cloudflare's words: workerd shows them as `put: … (10012)`.

R2Error
├── InvalidArgument      10029  a request that R2 does not take
├── NoSuchKey            10007
├── InvalidKey           10020  empty, over 1024 bytes, or not UTF-8
├── EntityTooLarge       100100
├── EntityTooSmall       10011  a part under 5 MiB that is not the last
├── MetadataTooLarge     10012
├── InvalidMaxKeys       10022  the limit of a list
├── NoSuchUpload         10024
├── InvalidPart          10025
├── BadUpload            10048  parts of different sizes
├── PreconditionFailed   10031
├── BadDigest            10037
├── InvalidRange         10039
├── NoSuchBucket         10006
├── BucketExists         10004
├── BucketNotEmpty       10008
└── InvalidBucketName    10005
"""

from typing import TYPE_CHECKING, ClassVar

from selfedge.bindings.r2 import limits
from selfedge.errors import UserError

if TYPE_CHECKING:
    from selfedge.bindings.r2.model import Object

INTERNAL = 10001
"""The number of what we, or the disk, must mend."""


class R2Error(UserError):
    """Root of what R2 refuses; `status` is HTTP's, `number` Cloudflare's."""

    code = "r2"
    status: ClassVar[int] = 400
    number: ClassVar[int] = 10029
    words: ClassVar[str] = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.words)


class InvalidArgument(R2Error):
    """A request that R2 does not take."""

    code = "r2-argument"


class NoSuchKey(R2Error):
    """There is no object of that key."""

    code = "r2-no-key"
    status, number = 404, 10007
    words = "The specified key does not exist."


class InvalidKey(R2Error):
    """The key is empty, over 1024 bytes of UTF-8, or not UTF-8."""

    code = "r2-key"
    number = 10020
    words = (
        "The specified object name is not valid. A key has 1 to "
        f"{limits.KEY_MAX_BYTES} bytes of UTF-8."
    )


class EntityTooLarge(R2Error):
    """An object or a part is too large."""

    code = "r2-too-large"
    number = 100100
    words = "Your proposed upload exceeds the maximum allowed object size."


class EntityTooSmall(R2Error):
    """A part that is not the last has less than 5 MiB."""

    code = "r2-too-small"
    number = 10011
    words = "Your proposed upload is smaller than the minimum allowed object size."


class MetadataTooLarge(R2Error):
    """The custom metadata is over 8192 bytes."""

    code = "r2-metadata-too-large"
    number = 10012
    words = "Your metadata headers exceed the maximum allowed metadata size."


class InvalidMaxKeys(R2Error):
    """The limit of a list is not from 1 to 1000."""

    code = "r2-max-keys"
    number = 10022
    words = "MaxKeys params must be positive integer <= 1000."


class NoSuchUpload(R2Error):
    """The upload never was, is completed, or is aborted."""

    code = "r2-no-upload"
    number = 10024
    words = "The specified multipart upload does not exist."


class InvalidPart(R2Error):
    """A part that is to be joined was not uploaded, or is another one."""

    code = "r2-part"
    number = 10025
    words = "One or more of the specified parts could not be found."


class BadUpload(R2Error):
    """The parts but the last are not all of one size."""

    code = "r2-bad-upload"
    number = 10048
    words = (
        "There was a problem with the multipart upload. All parts but the last must "
        "have the same size, and the last no larger one."
    )


class PreconditionFailed(R2Error):
    """A condition does not hold; `found` is the object that is there."""

    code = "r2-precondition"
    status, number = 412, 10031
    words = "At least one of the pre-conditions you specified did not hold."

    def __init__(self, found: "Object | None" = None) -> None:
        super().__init__()
        self.found = found


class BadDigest(R2Error):
    """The bytes have another checksum than was said."""

    code = "r2-digest"
    number = 10037

    def __init__(self, algorithm: str, given: str, actual: str) -> None:
        super().__init__(
            f"The {algorithm} checksum you specified did not match what we received.\n"
            f"You provided a {algorithm} checksum with value: {given}\n"
            f"Actual {algorithm} was: {actual}"
        )


class InvalidRange(R2Error):
    """The range is outside the object."""

    code = "r2-range"
    status, number = 416, 10039
    words = "The requested range is not satisfiable"


class NoSuchBucket(R2Error):
    """There is no bucket of that name."""

    code = "r2-no-bucket"
    status, number = 404, 10006
    words = "The specified bucket does not exist."


class BucketExists(R2Error):
    """There is a bucket of that name already."""

    code = "r2-bucket-exists"
    status, number = 409, 10004
    words = "The bucket you tried to create already exists, and you own it."


class BucketNotEmpty(R2Error):
    """A bucket with objects cannot be deleted."""

    code = "r2-bucket-not-empty"
    status, number = 409, 10008
    words = "The bucket you tried to delete is not empty. Delete its objects first."


class InvalidBucketName(R2Error):
    """Not a name for a bucket."""

    code = "r2-bucket-name"
    number = 10005
    words = (
        "The specified bucket name is not valid: it must have "
        f"{limits.BUCKET_NAME_MIN} to {limits.BUCKET_NAME_MAX} lower-case letters, "
        "digits and hyphens, and begin and end with a letter or digit."
    )
