"""
Rules that hold for every interleaving of callers, expiry, revocation, failures and clock jumps.
"""

import threading
from collections import Counter
from typing import Any
from urllib.parse import parse_qs

import attrs
import httpx
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from auth_ext import AuthError, MemoryTokenStore, OAuth2ClientCredentials
from tests.auth.helpers import API, CLIENT_ID, PATIENCE, SECRET, Hands

KEYS = {"one": ["a b", ["b", "a"]], "two": ["c", ["c"]]}
NAMES = {frozenset({"a", "b"}): "one", frozenset({"c"}): "two"}


@attrs.define
class Given:
    """
    What the token endpoint knows of a token it gave.
    """

    key: str
    wall: float
    steady: float
    lifetime: float
    over_on_arrival: bool = False
    revoked: bool = False
    uses: int = 0

    def is_over(self, hands: Hands) -> bool:
        """
        Whether either clock says so.
        """
        return max(hands.wall - self.wall, hands.steady - self.steady) >= self.lifetime


class Tokens(RuleBasedStateMachine):
    """
    Two keys, two instances that share a store, one token endpoint, one API.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hands = Hands()
        self.gate = threading.Event()
        self.gate.set()
        self.lock = threading.Lock()
        self.mode = "good"
        self.given: dict[str, Given] = {}
        self.flying: Counter[str] = Counter()
        self.most_flying = 0
        self.broken: list[str] = []
        self.callers: list[threading.Thread] = []
        store = MemoryTokenStore()
        self.auths = [self.an_auth(store, spelling) for spelling in range(2)]

    def an_auth(self, store: MemoryTokenStore, spelling: int) -> OAuth2ClientCredentials:
        """
        An instance that spells its scopes one way or the other.
        """

        def scopes(request: httpx.Request) -> Any:
            return KEYS[request.url.path[1:]][spelling]

        return OAuth2ClientCredentials(
            CLIENT_ID,
            SECRET,
            scopes=scopes,
            store=store,
            clock=self.hands.clock,
            httpx_args={"transport": httpx.MockTransport(self.endpoint)},
            deadline=1e6,
        )

    # The token endpoint

    def endpoint(self, request: httpx.Request) -> httpx.Response:
        """
        Answer a token request, one at a time for each key.
        """
        key = NAMES[frozenset(parse_qs(request.content.decode())["scope"][0].split())]
        given = Given(key, self.hands.wall, self.hands.steady, 3600.0)
        with self.lock:
            self.flying[key] += 1
            self.most_flying = max(self.most_flying, self.flying[key])
        try:
            assert self.gate.wait(PATIENCE)
            return self.answer(given)
        finally:
            with self.lock:
                self.flying[key] -= 1

    def answer(self, given: Given) -> httpx.Response:
        """
        As the mode has it.
        """
        if self.mode == "refuses":
            return httpx.Response(400, json={"error": "invalid_client"})
        if self.mode == "unavailable":
            return httpx.Response(503, headers={"Retry-After": "99999999"})
        given.lifetime = {"good": 3600.0, "short": 20.0, "none": 0.0}[self.mode]
        given.over_on_arrival = given.is_over(self.hands)
        with self.lock:
            value = f"token-{len(self.given)}"
            self.given[value] = given
        return httpx.Response(200, json={"access_token": value, "expires_in": given.lifetime})

    # The API and its callers

    def call(self, key: str, instance: int) -> None:
        """
        One request, as httpx would drive it; what must not be is written down.
        """
        flow = self.auths[instance].sync_auth_flow(httpx.Request("GET", f"{API}/{key}"))
        sent: list[str] = []
        try:
            request = next(flow)
            while True:
                value = request.headers["Authorization"].removeprefix("Bearer ")
                sent.append(value)
                request = flow.send(self.api(key, value, request))
        except StopIteration:
            if len(sent) > 2 or len(set(sent)) != len(sent):
                self.broken.append(f"sent {sent}")
        except AuthError:
            if self.mode not in {"refuses", "unavailable"} and not self.failed_lately():
                self.broken.append("an error out of nowhere")

    def failed_lately(self) -> bool:
        """
        A refusal may be remembered for half a minute.
        """
        return bool(self.auths[0]._desk._failures)

    def api(self, key: str, value: str, request: httpx.Request) -> httpx.Response:
        """
        Answer a request and write down what must not be.
        """
        with self.lock:
            given = self.given[value]
            given.uses += 1
            if given.key != key:
                self.broken.append(f"{value} of {given.key} was sent for {key}")
            if given.is_over(self.hands) and not given.over_on_arrival:
                self.broken.append(f"{value} was over and was sent")
            return httpx.Response(401 if given.revoked else 200, request=request)

    # What can happen

    @precondition(lambda self: self.gate.is_set())
    @rule(key=st.sampled_from(sorted(KEYS)), instance=st.integers(0, 1))
    def request(self, key: str, instance: int) -> None:
        """
        A request, to its end.
        """
        before = {value for value, given in self.given.items() if given.over_on_arrival}
        uses = {value: self.given[value].uses for value in before}
        self.call(key, instance)
        self.settle()
        for value, count in uses.items():
            if self.given[value].uses != count:
                self.broken.append(f"{value} was over on arrival and was sent again")

    @precondition(lambda self: not self.gate.is_set() and len(self.callers) < 6)
    @rule(key=st.sampled_from(sorted(KEYS)), instance=st.integers(0, 1))
    def request_meanwhile(self, key: str, instance: int) -> None:
        """
        A request while the endpoint hangs.
        """
        caller = threading.Thread(target=self.call, args=(key, instance))
        caller.start()
        self.callers.append(caller)

    @rule()
    def the_endpoint_hangs(self) -> None:
        """
        Token requests wait from now on.
        """
        self.settle()
        self.gate.clear()

    @rule()
    def the_endpoint_goes_on(self) -> None:
        """
        They are answered.
        """
        self.gate.set()
        self.settle()

    @precondition(lambda self: self.gate.is_set())
    @rule(mode=st.sampled_from(["good", "good", "short", "none", "refuses", "unavailable"]))
    def the_endpoint_changes(self, mode: str) -> None:
        """
        Another kind of answer from now on.
        """
        self.mode = mode

    @rule(seconds=st.sampled_from([1.0, 6.0, 31.0, 300.0, 2900.0, 3300.0, 3590.0, 4000.0]))
    def time_passes(self, seconds: float) -> None:
        """
        Both clocks go on.
        """
        if self.gate.is_set():
            self.hands.turn(seconds)

    @rule(seconds=st.sampled_from([-1e6, -3600.0, -10.0, 10.0, 3600.0, 1e6]))
    def the_wall_clock_is_set(self, seconds: float) -> None:
        """
        By somebody.
        """
        if self.gate.is_set():
            self.hands.wall += seconds

    @rule(seconds=st.sampled_from([60.0, 10_000.0]))
    def the_machine_sleeps(self, seconds: float) -> None:
        """
        The steady clock goes on, the wall clock is wrong.
        """
        if self.gate.is_set():
            self.hands.steady += seconds

    @rule()
    def all_tokens_are_revoked(self) -> None:
        """
        The API refuses whatever was given so far.
        """
        with self.lock:
            for given in self.given.values():
                given.revoked = True

    def settle(self) -> None:
        """
        Until nobody waits and nothing flies.
        """
        self.gate.set()
        for caller in self.callers:
            caller.join(PATIENCE)
            assert not caller.is_alive()
        self.callers.clear()
        for flight in list(self.auths[0]._desk._flights.values()):
            flight._done.exception(PATIENCE)

    # What must hold

    @invariant()
    def at_most_one_flight_per_key(self) -> None:
        """
        Never two token requests at once for a key.
        """
        assert self.most_flying <= 1

    @invariant()
    def nothing_is_broken(self) -> None:
        """
        No caller and no request has seen what must not be.
        """
        assert [] == self.broken

    @invariant()
    def a_key_has_its_own_token(self) -> None:
        """
        What is held for a key was given for it.
        """
        for auth in self.auths:
            for source in list(auth._sources.values()):
                held = auth._desk._held.get(source.key)
                if held is not None:
                    key = NAMES[frozenset(source.request.scopes)]
                    assert key == self.given[held.token.value].key

    def teardown(self) -> None:
        """
        Let everybody come home.
        """
        self.settle()
        assert [] == self.broken


Tokens.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestTokens: Any = Tokens.TestCase
