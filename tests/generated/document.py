"""
A small document with one of everything, and with text that would like to be code.
"""

from typing import Any

HOSTILE = 'A """ and \\ and \\u and {{ 7 * 7 }} and {% raw %} and {x} and """\nimport os\n\\'


def _json(name: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _id(name: str = "thingId") -> dict[str, Any]:
    schema = {"type": "string"}
    about = "Which one is meant."
    return {"name": name, "in": "path", "required": True, "description": about, "schema": schema}


BINARY = {"schema": {"type": "string", "format": "binary"}}
ERRORS = {"400": _json("Problem"), "404": _json("Problem")}
SECURITY = [{"oauth2": ["thing_read"]}]

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": f"Things {HOSTILE}", "version": "1"},
    "paths": {
        "/things": {
            "get": {
                "operationId": "listThings",
                "tags": ["things"],
                "summary": HOSTILE,
                "description": HOSTILE,
                "security": SECURITY,
                "parameters": [
                    {
                        "name": "kind",
                        "in": "query",
                        "description": HOSTILE,
                        "schema": {"$ref": "#/components/schemas/Kind"},
                    },
                    {
                        "name": "since",
                        "in": "query",
                        "schema": {"type": "string", "format": "date-time"},
                    },
                    {"name": "open", "in": "query", "schema": {"type": "boolean"}},
                    {
                        "name": "ids",
                        "in": "query",
                        "schema": {"type": "array", "items": {"type": "string"}},
                    },
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                ],
                "responses": {
                    "200": {
                        "description": "Done.",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "array",
                                    "items": {"$ref": "#/components/schemas/Thing"},
                                }
                            }
                        },
                    },
                    **ERRORS,
                },
            },
            "post": {
                "operationId": "create/Thing",
                "tags": ["things"],
                "security": SECURITY,
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                    },
                },
                "responses": {"200": _json("Thing"), "201": _json("Thing"), **ERRORS},
            },
        },
        "/things/{thingId}": {
            "get": {
                "operationId": "getThing",
                "tags": ["things"],
                "security": SECURITY,
                "parameters": [_id()],
                "responses": {"200": _json("Thing"), **ERRORS},
            },
            "delete": {
                "operationId": "deleteThing",
                "tags": ["things"],
                "security": SECURITY,
                "parameters": [_id()],
                "responses": {"204": {"description": "Done."}},
            },
        },
        "/things/{thingId}/file": {
            "get": {
                "operationId": "getFile",
                "tags": ["things"],
                "security": SECURITY,
                "parameters": [_id()],
                "responses": {
                    "200": {
                        "description": "Done.",
                        "content": {"application/octet-stream": BINARY},
                    },
                    **ERRORS,
                },
            },
            "post": {
                "operationId": "uploadFile",
                "tags": ["things"],
                "parameters": [_id()],
                "requestBody": {
                    "required": True,
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "type": "object",
                                "required": ["file"],
                                "properties": {
                                    "file": {"type": "string", "format": "binary"},
                                    "note": {"type": "string"},
                                    "pages": {"type": "array", "items": {"type": "integer"}},
                                    "owner": {"$ref": "#/components/schemas/Owner"},
                                    "final": {"type": "boolean"},
                                },
                            }
                        }
                    },
                },
                "responses": {"204": {"description": "Done."}},
            },
            "put": {
                "operationId": "replaceFile",
                "tags": ["things"],
                "parameters": [_id()],
                "requestBody": {
                    "required": True,
                    "content": {"application/octet-stream": BINARY},
                },
                "responses": {"204": {"description": "Done."}},
            },
        },
        "/mixed": {
            "get": {
                "operationId": "getMixed",
                "tags": ["other"],
                "parameters": [{"name": "tint", "in": "cookie", "schema": {"type": "string"}}],
                "responses": {
                    "200": _json("Thing"),
                    "202": _json("Owner"),
                    "204": {"description": "Nothing yet."},
                    "default": _json("Problem"),
                },
            }
        },
    },
    "components": {
        "securitySchemes": {
            "oauth2": {
                "type": "oauth2",
                "flows": {
                    "clientCredentials": {
                        "tokenUrl": "https://token.example",
                        "scopes": {"thing_read": "Read."},
                    }
                },
            }
        },
        "schemas": {
            "Kind": {"type": "string", "enum": ["small", "large"], "description": HOSTILE},
            "Level": {"type": "integer", "enum": [1, 2]},
            "Owner": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "secret": {"type": "string"}},
            },
            "Shop": {
                "type": "object",
                "required": ["name", "street"],
                "properties": {"name": {"type": "string"}, "street": {"type": "string"}},
            },
            "Counts": {"type": "object", "additionalProperties": {"type": "integer"}},
            "Problem": {"type": "object", "properties": {"message": {"type": "string"}}},
            "Odd": {
                "type": "object",
                "properties": {
                    "additional_properties": {"type": "string"},
                    "to_dict": {"type": "string"},
                    'q"uote\\ {x}': {"type": "string"},
                },
            },
            "Thing": {
                "type": "object",
                "description": HOSTILE,
                "required": ["id"],
                "properties": {
                    "id": {"type": "string", "description": HOSTILE},
                    "uid": {"type": "string", "format": "uuid"},
                    "created": {"type": "string", "format": "date-time"},
                    "day": {"type": "string", "format": "date"},
                    "kind": {"$ref": "#/components/schemas/Kind"},
                    "level": {"$ref": "#/components/schemas/Level"},
                    "count": {"type": "integer"},
                    "weight": {"type": "number"},
                    "sealed": {"type": "boolean"},
                    "note": {"type": ["string", "null"]},
                    "size": {"type": "string", "default": "unknown"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "owner": {"$ref": "#/components/schemas/Owner"},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                    "counts": {"$ref": "#/components/schemas/Counts"},
                    "ownerOrNull": {
                        "anyOf": [{"$ref": "#/components/schemas/Owner"}, {"type": "null"}]
                    },
                    "ownerOrText": {
                        "anyOf": [{"$ref": "#/components/schemas/Owner"}, {"type": "string"}]
                    },
                    "seller": {
                        "oneOf": [
                            {"$ref": "#/components/schemas/Owner"},
                            {"$ref": "#/components/schemas/Shop"},
                        ]
                    },
                },
            },
        },
    },
}
