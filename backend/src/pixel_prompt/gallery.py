"""The gallery: jobs that yielded at least one image, newest first.

Jobs that verify the deployment are listed apart, for those who ask for them: a gallery is of what users made.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pixel_prompt import clock
from pixel_prompt.clock import Clock, timestamp
from pixel_prompt.jobs import GALLERY_PARTITION, KEEP_SECONDS, VERIFICATION_PARTITION, Jobs
from pixel_prompt.table import Item, Table
from pixel_prompt.validation import PageRequest, make_cursor

UrlFor = Callable[[str], str]
"""From an image's key to the URL that the CDN serves it under."""


class Gallery:
    """Reads galleries; the worker's results write them."""

    def __init__(self, table: Table, jobs: Jobs, url_for: UrlFor, now: Clock = clock.now) -> None:
        self._table = table
        self._jobs = jobs
        self._url_for = url_for
        self._now = now

    def page(self, wanted: PageRequest) -> Mapping[str, Any]:
        """One page in the contract's form. One more item is read than shown, to know whether it is the last."""
        partition = VERIFICATION_PARTITION if wanted.verification else GALLERY_PARTITION
        start = None
        if wanted.after is not None:
            job_id = wanted.after.partition("#")[2]
            start = {"pk": f"job#{job_id}", "galleryKey": partition, "gallerySort": wanted.after}
        oldest = timestamp(self._now() - KEEP_SECONDS)
        items = self._table.query_gallery(partition, oldest, wanted.size + 1, start)
        shown = items[: wanted.size]
        page: dict[str, Any] = {"galleries": [self._summary(item) for item in shown]}
        if len(items) > wanted.size:
            page["nextCursor"] = make_cursor(shown[-1]["gallerySort"])
        return page

    def detail(self, job_id: str) -> Mapping[str, Any] | None:
        """One gallery in the contract's form; None when there is none with an image."""
        job = self._jobs.get(job_id)
        if job is None or job.preview_key is None:
            return None
        return {
            "id": job.id,
            "createdAt": job.created_at,
            "prompt": job.wish.prompt,
            "previewUrl": self._url_for(job.preview_key),
            "imageCount": job.image_count,
            "images": [
                {"model": result.model, "imageUrl": self._url_for(result.key)}
                for result in job.results
                if result.key is not None
            ],
        }

    def _summary(self, item: Item) -> Mapping[str, Any]:
        return {
            "id": item["jobId"],
            "createdAt": item["createdAt"],
            "prompt": item["prompt"],
            "previewUrl": self._url_for(item["previewKey"]),
            "imageCount": item["imageCount"],
        }
