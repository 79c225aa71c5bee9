"""Images in their bucket."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from pixel_prompt.pictures import Picture

# An image never changes, and expires after 30 days.
CACHE_CONTROL: Final = "public, max-age=2592000, immutable"


class S3(Protocol):
    """The call of botocore's client that is used here."""

    def put_object(self, **arguments: Any) -> Mapping[str, Any]: ...


class ImageStore:
    """Writes images under keys that follow from the job and the model alone.

    A second attempt thus overwrites the first, and the page can name an image before it is there.
    """

    def __init__(self, client: S3, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, job_id: str, model: str, picture: Picture) -> str:
        """Store the image; returns its key. botocore tries again when S3 answers 503 SlowDown."""
        key = f"images/{job_id}/{model}.{picture.extension}"
        self._client.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=picture.data,
            ContentType=picture.media_type,
            CacheControl=CACHE_CONTROL,
        )
        return key
