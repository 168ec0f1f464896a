import pytest

from tests.auth.helpers import DRIVES, Drive, World


@pytest.fixture(params=sorted(DRIVES))
def drive(request: pytest.FixtureRequest) -> Drive:
    """
    One way to use the flow: from a thread, an asyncio task or a trio task.
    """
    return DRIVES[str(request.param)]


@pytest.fixture
def world() -> World:
    """
    A clock, a token endpoint and an API.
    """
    return World()
