"""
The rules that make any document one that the generator takes whole, and the list of what they did.

A rule is for a limit of openapi-python-client 0.29.1 or of HTTP, never for one document: that is
what overlays are for.
"""

from collections import defaultdict

import attrs

RULES: dict[str, str] = {
    # the document
    "info-filled": "title and version must be strings, or the generator refuses the document",
    "path-items-inlined": "a path item behind a $ref is ignored, with all its operations",
    "slashes": "a path that starts with // names a host; one without / is glued on",
    "global-security": "only an operation's own security is read",
    "parts-inlined": "references between parameters, bodies and responses are not followed",
    # operations
    "operation-id-made": "without an id the operation has no name to be called by",
    "operation-renamed": "two operations with one module name overwrite each other",
    "parameter-twice": "an operation with a parameter twice is dropped; the first one counts",
    "parameter-undeclared": "an operation whose path names an undeclared parameter is dropped",
    "parameter-not-in-path": "an operation with a path parameter that its path lacks is dropped",
    "path-parameter-renamed": "a template other than letters, digits, - and _ is not recognised",
    "path-parameter-required": "an optional path parameter drops the operation",
    "path-parameter-text": "lists and objects have no one spelling in a path: text is asked for",
    "header-ignored": "Accept, Content-Type, Authorization are no parameters (OAS 3.0.3, 4.7.12.1)",
    "header-text": "a header of another type than text, number or enum drops the operation",
    "cookie-text": "a cookie of another type than text is a TypeError in httpx",
    "parameter-json": "a parameter with `content` and no `schema` is left out without a word",
    "python-names": "two names that become one in Python, or one the generated code uses itself",
    "one-media-type": "with several media types for one schema the last one wins on the wire",
    "raw-bytes": "a media type the generator does not know loses its body or its response",
    "no-content": "an error without a schema turns into Any in every signature",
    "status-code": "a status that is neither a number nor like 4XX loses its response",
    "required-filled": "members that the specification requires and the document lacks",
    # schemas
    "hoisted": "an inline class that is parsed twice is a duplicate, and its model is dropped",
    "pointer-hoisted": "a reference into the middle of something is not found",
    "class-renamed": "two schemas with one class or module name overwrite each other",
    "class-reserved": "a class named like one that generated modules import hides it",
    "nullable-components": "null on a whole definition turns the class into a union",
    "null-only": "a value that can only be null is taken for absent",
    "ref-siblings": "what stands beside a $ref is ignored",
    "boolean-schemas": "true and false as schemas stop the run",
    "unknown-type": "a type JSON Schema does not have stops the run",
    "items-filled": "an array without items is dropped",
    "tuple-items": "a list of item schemas is an array of any of them",
    "binary-in-json": "JSON has no binary: the text is passed through",
    "allof-merged": "allOf is followed one level deep, and only through objects",
    "allof-conflict": "two parts of an allOf that contradict each other: the later one counts",
    "union-members": "what stands beside oneOf or anyOf is lost",
    "discriminator": "members are tried in order; with the value fixed only the right one fits",
    "recursion-cut": "a type that contains itself without a class between cannot be written down",
    "enum-names": "values that become one Python name lose all but the last",
    "enum-values": "values of mixed or unsupported types drop the schema",
    "enum-on-array": "an enum on an array is meant for its items",
    "defaults": "a default that does not fit its own schema drops it",
    "constants": "a constant that is no scalar stops the run",
}
"""Name of each rule -> what happens without it."""


@attrs.define
class Notes:
    """
    What the rules did, and what generation must still be told.

    Attributes:
        hits: Rule -> the places it changed.
        wire_names: Key in the normalised document -> the name that goes over the wire.
        origins: Path and method in the normalised document -> as the document has them.
        classes: Component in the document -> component in the normalised document.
        raw_media: Media types that are passed as they are.
    """

    hits: defaultdict[str, list[str]] = attrs.field(factory=lambda: defaultdict(list))
    wire_names: dict[str, str] = attrs.field(factory=dict)
    origins: dict[tuple[str, str], tuple[str, str]] = attrs.field(factory=dict)
    classes: dict[str, str] = attrs.field(factory=dict)
    raw_media: set[str] = attrs.field(factory=set)

    def hit(self, rule: str, where: str) -> None:
        """Record that *rule* changed something at *where*; an unknown rule is a mistake here."""
        assert rule in RULES, rule
        self.hits[rule].append(where)
