"""
Parse 1000 document summaries: generated_client, the generator's plain output, pydantic, msgspec.

All read the same page and end with the same types: UUIDs, timestamps, enums. pydantic is measured
twice: with what generated_client promises (attributes in snake_case, unknown members kept, unknown
enum values kept), which is what the ratios are against, and "strict", with none of it.
Prints JSON; times are milliseconds of this process, the best of interleaved rounds.
"""

import datetime
import gc
import json
import re
import sys
import time
import uuid
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

from scripts.bench.generated_plain import plain_client

ROOT = Path(__file__).parents[2]
PAGE = "SignatureDocumentSummaryPage"
SCALARS = {"string": str, "integer": int, "number": float, "boolean": bool}
FORMATS = {"uuid": uuid.UUID, "date-time": datetime.datetime, "date": datetime.date}


class Types:
    """
    Python types made from the document's schemas by one library.

    Args:
        document: The OpenAPI document.
        make: Makes a class of a name and its members; all members are optional.
        open_enums: Whether values that an enum does not know are kept.
    """

    def __init__(
        self,
        document: dict[str, Any],
        make: Callable[[str, dict[str, Any]], Any],
        *,
        open_enums: bool = False,
    ) -> None:
        self._open = open_enums
        self._schemas = document["components"]["schemas"]
        self._make = make
        self._made: dict[str, Any] = {}

    def named(self, name: str) -> Any:
        """The type for a component."""
        if name not in self._made:
            self._made[name] = self._of(self._schemas[name], name)
        return self._made[name]

    def _of(self, schema: dict[str, Any], name: str) -> Any:
        if "$ref" in schema:
            return self.named(schema["$ref"].rpartition("/")[2])
        for alternative in schema.get("anyOf", []):
            if alternative.get("type") != "null":
                return self._of(alternative, name)
        if "enum" in schema:
            values = Enum(name, {f"V{i}": value for i, value in enumerate(schema["enum"])})  # type: ignore[misc]
            return values | type(schema["enum"][0]) if self._open else values
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next(one for one in kind if one != "null")
        if kind == "array":
            return list[self._of(schema["items"], name + "Item")]  # type: ignore[misc]
        if kind == "object" and "properties" in schema:
            members = {
                key: self._of(value, f"{name}_{key}") | None
                for key, value in schema["properties"].items()
            }
            return self._make(name, members)
        if kind == "object":
            more = schema.get("additionalProperties")
            return dict[str, self._of(more, name) if isinstance(more, dict) else Any]  # type: ignore[misc]
        return FORMATS.get(schema.get("format", ""), SCALARS.get(str(kind), Any))


def page(size: int = 1000) -> dict[str, Any]:
    """A page of summaries as the service sends them."""

    def identifier(number: int) -> str:
        return str(uuid.UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC834) % 2**128))

    def signature(number: int) -> dict[str, Any]:
        return {
            "signatureMethod": "no_bankid_mobile",
            "fullName": "Kari Nordmann",
            "firstName": "Kari",
            "lastName": "Nordmann",
            "middleName": None,
            "signedTime": "2026-11-24T10:11:12.1234567Z",
            "dateOfBirth": "1980-01-02",
            "signatureMethodUniqueId": "9578-5999-4-1234567",
            "clientIp": "127.0.0.1",
            "mechanism": "pkisignature",
            "personalInfoOrigin": "eid",
            "signerId": identifier(3 * number + 1),
            "externalSignerId": f"signer-{number}",
        }

    def summary(number: int) -> dict[str, Any]:
        return {
            "documentId": identifier(3 * number),
            "accountId": identifier(-1),
            "title": f"Contract {number}",
            "description": "An agreement between two parties about a thing. " * 3,
            "lastUpdated": "2026-11-24T10:11:12.1234567Z",
            "deadline": "2026-12-24T10:11:12Z",
            "signedDate": None,
            "status": {
                "documentStatus": "partialsigned",
                "completedPackages": [],
                "attachmentPackages": {},
            },
            "externalId": f"external-{number}",
            "documentSignatures": [signature(number)],
            "requiredSignatures": 2,
            "currentSignatures": 1,
            "tags": ["contract", "2026"],
            "attachments": [identifier(-3 * number - 3)],
            "signers": [identifier(3 * number + 1), identifier(3 * number + 2)],
            "created": "2026-11-24T10:11:12Z",
        }

    return {
        "offset": 0,
        "limit": size,
        "size": size,
        "links": {"first": "/signature/documents/summary?offset=0"},
        "data": [summary(number) for number in range(size)],
    }


def _pydantic(name: str, members: dict[str, Any]) -> Any:
    import pydantic

    make: Any = pydantic.create_model
    return make(
        name,
        __config__=pydantic.ConfigDict(extra="allow"),
        **{
            re.sub("(?<!^)([A-Z])", r"_\1", key).lower(): (kind, pydantic.Field(None, alias=key))
            for key, kind in members.items()
        },
    )


def best_of(rounds: int, subjects: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The best time of each subject in milliseconds; subjects take turns, so noise hits all."""
    best = dict.fromkeys(subjects, float("inf"))
    gc.collect()
    gc.freeze()  # what was made before is no part of anybody's time
    for _ in range(rounds):
        for name, act in subjects.items():
            gc.collect()
            started = time.process_time()
            act()
            best[name] = min(best[name], (time.process_time() - started) * 1000)
    gc.unfreeze()
    return {name: round(value, 2) for name, value in best.items()}


def main(rounds: int = 15) -> dict[str, Any]:
    """Measure, and return the figures."""
    import msgspec
    import pydantic

    from generated_client import models

    document = json.loads((ROOT / "openapi.json").read_text("utf-8"))
    same = Types(document, _pydantic, open_enums=True)
    make: Any = pydantic.create_model
    strict = Types(
        document,
        lambda name, members: make(name, **{key: (kind, None) for key, kind in members.items()}),
    )
    with_pydantic, strict_pydantic = same.named(PAGE), strict.named(PAGE)
    with_msgspec = Types(
        document,
        lambda name, members: msgspec.defstruct(
            name, [(key, kind, None) for key, kind in members.items()]
        ),
    ).named(PAGE)
    data = page()
    text = json.dumps(data).encode()
    ours = getattr(models, PAGE)
    parsed = ours.from_dict(data)
    validated = with_pydantic.model_validate(data)
    decoder = msgspec.json.Decoder(with_msgspec)
    with plain_client(document) as plain_models:
        plain = getattr(plain_models, PAGE)
        plain_parsed = plain.from_dict(data)
        times = best_of(
            rounds,
            {
                "json.loads": lambda: json.loads(text),
                "generated_client.from_dict": lambda: ours.from_dict(data),
                "plain.from_dict": lambda: plain.from_dict(data),
                "pydantic.model_validate": lambda: with_pydantic.model_validate(data),
                "pydantic.model_validate, strict": lambda: strict_pydantic.model_validate(data),
                "json.loads and generated_client.from_dict": lambda: ours.from_dict(
                    json.loads(text)
                ),
                "pydantic.model_validate_json": lambda: with_pydantic.model_validate_json(text),
                "msgspec.convert": lambda: msgspec.convert(data, with_msgspec),
                "msgspec.decode (with JSON)": lambda: decoder.decode(text),
                "generated_client.to_dict": parsed.to_dict,
                "plain.to_dict": plain_parsed.to_dict,
                "pydantic.model_dump": lambda: validated.model_dump(mode="json", by_alias=True),
            },
        )
    return {
        "bytes": len(text),
        "milliseconds": times,
        "from_dict against pydantic": round(
            times["generated_client.from_dict"] / times["pydantic.model_validate"], 2
        ),
        "to_dict against pydantic": round(
            times["generated_client.to_dict"] / times["pydantic.model_dump"], 2
        ),
        "goal": 0.8,
    }


if __name__ == "__main__":
    json.dump(main(), sys.stdout, indent=2)
    print()
