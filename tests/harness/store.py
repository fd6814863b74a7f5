"""A store that speaks S3, on a real port: moto's, with one bucket."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

KEYS = ("key", "secret")


@contextmanager
def s3_store(bucket: str) -> Iterator[str]:
    """Return the URL of a store that has `bucket`; skip where moto is missing."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0)
    boto3 = pytest.importorskip("boto3")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    try:
        _, port = server.get_host_and_port()
        url = f"http://127.0.0.1:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=KEYS[0],
            aws_secret_access_key=KEYS[1],
        )
        client.create_bucket(Bucket=bucket)
        yield url
    finally:
        server.stop()
