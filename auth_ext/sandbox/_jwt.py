"""JSON Web Tokens of the sandbox: signed with a key of this process, checked with the same."""

import functools
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from auth_ext.sandbox._calls import Answer, Call, handles
from auth_ext.sandbox._clock import iso

LIFETIME_SECONDS = 300
ALGORITHM = "ES256"
KEY_ID = "sandbox"


@functools.cache
def _key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": KEY_ID, "use": "sig", "alg": ALGORITHM})


def make(payload: dict[str, Any], now: float) -> str:
    """A token with that payload, good for five minutes of the sandbox's time."""
    claims = {**payload, "expires": iso(now + LIFETIME_SECONDS), "exp": int(now) + LIFETIME_SECONDS}
    return jwt.encode({"alg": ALGORITHM, "kid": KEY_ID}, claims, _key(), algorithms=[ALGORITHM])


@handles("validate_jwt")
def validate_jwt(call: Call) -> Answer:
    """Whether a token is of this sandbox and still good."""
    try:
        token = jwt.decode(call.body["jwt"], _key(), algorithms=[ALGORITHM])
    except (JoseError, ValueError) as exc:
        return Answer(json={"valid": False, "error": f"{type(exc).__name__}: {exc}"})
    claims = dict(token.claims)
    ends = float(claims.pop("exp"))
    if call.now >= ends:
        return Answer(json={"valid": False, "expires": iso(ends), "error": "It is over."})
    return Answer(json={"valid": True, "expires": iso(ends), "payload": claims})


@handles("get_jwks")
def get_jwks(_call: Call) -> Answer:
    """The public key."""
    return Answer(json=KeySet([_key()]).as_dict(private=False))
