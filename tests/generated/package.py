"""
A generated package with a service behind it, for tests.
"""

import asyncio
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import httpx

Answer = httpx.Response | Callable[[httpx.Request], httpx.Response]
BASE = "http://service.test"


class Package:
    """
    A generated package.

    Attributes:
        requests: What the last client made here sent.
    """

    def __init__(self, module: ModuleType) -> None:
        self.name = module.__name__
        self.requests: list[httpx.Request] = []

    def module(self, name: str) -> Any:
        """
        A module of the package.
        """
        return import_module(f"{self.name}.{name}")

    def operation(self, name: str) -> Any:
        """
        The module of an operation.
        """
        return self.module(f"api.{'other' if name == 'get_mixed' else 'things'}.{name}")

    @property
    def models(self) -> Any:
        """
        The package's models.
        """
        return self.module("models")

    @property
    def types(self) -> Any:
        """
        The package's types.
        """
        return self.module("types")

    @property
    def errors(self) -> Any:
        """
        The package's errors.
        """
        return self.module("errors")

    def client(self, answer: Answer, **options: Any) -> Any:
        """
        A client whose requests are all given *answer*.
        """
        self.requests = []

        def handle(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return answer(request) if callable(answer) else answer

        async def handle_async(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            await request.aread()
            return answer(request) if callable(answer) else answer

        class Transport(httpx.MockTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                return await handle_async(request)

        options = {"httpx_args": {"transport": Transport(handle)}, **options}
        return self.module("client").AuthenticatedClient(BASE, "the-token", **options)

    def call(
        self,
        operation: str,
        answer: Answer,
        *arguments: Any,
        asynchronous: bool = False,
        detailed: bool = False,
        client: dict[str, Any] | None = None,
        **named: Any,
    ) -> Any:
        """
        What an operation returns when the service gives *answer*.
        """
        module = self.operation(operation)
        connection = self.client(answer, **(client or {}))
        name = ("asyncio" if asynchronous else "sync") + ("_detailed" if detailed else "")
        return run(getattr(module, name), *arguments, client=connection, **named)


def run(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """
    The result of a function or of a coroutine function.
    """
    result = function(*arguments, **named)
    if not asyncio.iscoroutine(result):
        return result

    async def wait() -> Any:
        return await result

    return asyncio.run(wait())


def json_answer(value: Any, status: int = 200, **headers: str) -> httpx.Response:
    """
    An answer with a JSON body.
    """
    return httpx.Response(status, json=value, headers=headers)


def html_answer(status: int) -> httpx.Response:
    """
    What a proxy sends when it has nothing better.
    """
    return httpx.Response(status, html="<h1>Oops</h1>", headers={"Request-Id": "r-1"})
