"""Uploads to S3 in parts: few at a time, and none that stays when the upload is stopped."""

from __future__ import annotations

from typing import Any, Final

PARTS: Final = {"chunksize": 32 << 20, "max_concurrency": 2}
"""Bytes of a part, and parts in memory at the same time: 64 MiB. S3 allows 10,000 parts."""


def taking_back(backend: type[Any]) -> type[Any]:
    """A class of s3fs that removes the parts of an upload that is cancelled.

    Args:
        backend: `s3fs.S3FileSystem`, which removes them after other errors.
    """
    from asyncio import CancelledError  # noqa: PLC0415  slow, and not needed on this machine

    class Backend(backend):  # type: ignore[misc]
        async def _upload_file_part_concurrent(
            self, bucket: str, key: str, mpu: Any, *arguments: Any, **options: Any
        ) -> Any:
            try:
                return await super()._upload_file_part_concurrent(bucket, key, mpu, *arguments, **options)
            except CancelledError:
                await self._abort_mpu(bucket, key, mpu["UploadId"])
                raise

    return Backend
