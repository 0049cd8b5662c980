"""A server on loopback that speaks as S3 does, with files in its bucket "lake"."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

SECRET = "a secret of anna"


@contextmanager
def s3_files(files: Mapping[str, bytes]) -> Iterator[str]:
    """Serve files, by name; yields the address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = client_of(address)
    try:
        client.create_bucket(Bucket="lake")
        for name, content in files.items():
            client.put_object(Bucket="lake", Key=name, Body=content)
        yield address
    finally:
        client.close()
        server.stop()


def client_of(address: str) -> Any:
    """What changes files of the server."""
    import boto3

    return boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="anna", aws_secret_access_key=SECRET
    )
