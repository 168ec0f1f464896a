from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stores.helpers import Hands, RedisServer, Service, service


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """
    One server for all tests that do not stop it.
    """
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_server(shared_redis: RedisServer) -> RedisServer:
    """
    A running server with nothing in it.
    """
    import redis

    with redis.Redis(port=shared_redis.port) as client:
        client.flushall()
    return shared_redis


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """
    A server that the test may stop.
    """
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def hands() -> Hands:
    """
    A clock to turn.
    """
    return Hands()


@pytest.fixture
def api() -> Iterator[Service]:
    """
    A token endpoint and an API.
    """
    with service() as server:
        yield server
