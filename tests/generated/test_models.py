"""
Models: what goes in comes out, whatever the service has added since.
"""

import copy
import datetime
import pickle
import threading
import uuid
from typing import Any

import pytest

from tests.generated.document import HOSTILE
from tests.generated.package import Package

FULL: dict[str, Any] = {
    "id": "1",
    "uid": "12345678-1234-5678-1234-567812345678",
    "created": "2026-11-24T10:11:12+00:00",
    "day": "2026-11-24",
    "kind": "small",
    "level": 2,
    "count": 3,
    "weight": 1.5,
    "sealed": False,
    "note": None,
    "size": "M",
    "tags": ["a", "b"],
    "owner": {"name": "x"},
    "parts": [{"id": "2", "parts": []}],
    "counts": {"a": 1},
    "ownerOrNull": {"name": "y"},
    "ownerOrText": "z",
    "seller": {"name": "s", "street": "t"},
}


def test_a_full_answer_goes_round_unchanged(own: Package) -> None:
    """
    from_dict and to_dict undo each other, and the types are those of the document.
    """
    thing = own.models.Thing.from_dict(FULL)

    assert FULL == thing.to_dict()
    assert uuid.UUID(FULL["uid"]) == thing.uid
    assert datetime.datetime(2026, 11, 24, 10, 11, 12, tzinfo=datetime.UTC) == thing.created
    assert datetime.date(2026, 11, 24) == thing.day
    assert own.models.Kind.SMALL is thing.kind
    assert "2" == thing.parts[0].id
    assert 1 == thing.counts["a"]


def test_reading_leaves_the_input_alone(own: Package) -> None:
    """
    The caller's dict is not emptied, and lists are not shared with it.
    """
    source = copy.deepcopy(FULL)

    thing = own.models.Thing.from_dict(source)
    thing.tags.append("c")

    assert FULL == source


def test_unknown_members_are_kept_and_sent_back(own: Package) -> None:
    """
    At every depth; a known member wins over an unknown one of the same name.
    """
    source = {"id": "1", "new": {"x": [1]}, "owner": {"name": "x", "newer": None}}

    thing = own.models.Thing.from_dict(source)

    assert source == thing.to_dict()
    assert (["new"], {"x": [1]}, True) == (thing.additional_keys, thing["new"], "new" in thing)
    thing["id"] = "2"
    thing["at"] = datetime.date(2026, 1, 1)
    del thing["new"]
    assert {"id": "1", "owner": source["owner"], "at": "2026-01-01"} == thing.to_dict()


def test_typed_unknown_members_are_checked(own: Package) -> None:
    """
    Where the document says what further members are, they are that.
    """
    with pytest.raises(own.errors.MalformedResponse) as caught:
        own.models.Counts.from_dict({"a": 1, "b": "two"})

    assert ("Counts", "b") == (caught.value.model, caught.value.member)


@pytest.mark.parametrize(
    ("member", "wrong", "wanted"),
    [
        ("id", 1, "a string"),
        ("uid", "not-a-uuid", "is not a UUID"),
        ("uid", "z" * 32, "is not a UUID"),
        ("uid", 5, "a UUID"),
        ("created", 5, "a timestamp"),
        ("day", "yesterday", "is not a timestamp"),
        ("kind", 5, "a string"),
        ("level", "1", "a whole number"),
        ("level", True, "a whole number"),
        ("count", "3", "a whole number"),
        ("count", True, "a whole number"),
        ("count", 1.5, "a whole number"),
        ("weight", "heavy", "a number"),
        ("sealed", 1, "a boolean"),
        ("tags", "a", "a list"),
        ("tags", [1], "a string"),
        ("owner", [], "an object"),
        ("parts", [[]], "an object"),
        ("counts", "x", "an object"),
    ],
)
def test_a_wrong_type_names_model_and_member(
    own: Package, member: str, wrong: Any, wanted: str
) -> None:
    """
    Never a value of another type than the one declared, and never what was in it.
    """
    with pytest.raises(own.errors.MalformedResponse, match=wanted) as caught:
        own.models.Thing.from_dict({"id": "1", member: wrong})

    assert ("Thing", member) == (caught.value.model, caught.value.member)
    assert str(caught.value).startswith(f"Thing.{member} ")


@pytest.mark.parametrize("wrong", ["text", 5, None, ["id"], True])
def test_what_is_no_object_names_the_model(own: Package, wrong: Any) -> None:
    """
    The body as a whole may be wrong, too.
    """
    with pytest.raises(own.errors.MalformedResponse) as caught:
        own.models.Thing.from_dict(wrong)

    assert ("Thing", None) == (caught.value.model, caught.value.member)


def test_numbers_of_json_are_numbers(own: Package) -> None:
    """
    JSON knows no difference between 1 and 1.0; whole numbers stay whole.
    """
    thing = own.models.Thing.from_dict({"id": "1", "count": 2.0, "weight": 3})

    assert (2, int, 3) == (thing.count, type(thing.count), thing.weight)


def test_values_that_are_read_already_are_taken(own: Package) -> None:
    """
    from_dict takes what a program has at hand, not only what json.loads gives.
    """
    from types import MappingProxyType

    first = own.models.Thing.from_dict(FULL)
    again = own.models.Thing.from_dict(
        MappingProxyType(
            {
                **FULL,
                "uid": first.uid,
                "created": first.created,
                "day": first.day,
                "kind": first.kind,
                "level": first.level,
                "owner": MappingProxyType({"name": "x"}),
            }
        )
    )

    assert first == again


def test_a_date_with_a_time_is_a_date(own: Package) -> None:
    """
    Services written in .NET send midnight along.
    """
    thing = own.models.Thing.from_dict({"id": "1", "day": "2026-11-24T00:00:00"})

    assert datetime.date(2026, 11, 24) == thing.day


def test_a_member_not_given_is_left_out(own: Package) -> None:
    """
    Defaults of the document are sent, unset members are not; None is null.
    """
    assert {"id": "1", "size": "unknown", "note": None} == own.models.Thing(
        "1", note=None
    ).to_dict()


def test_equality_is_by_members(own: Package) -> None:
    """
    Of the same class, known and unknown members alike; models have no hash.
    """
    read, owner = own.models.Thing.from_dict, own.models.Owner

    assert read(FULL) == read(FULL)
    assert read(FULL) != read({**FULL, "count": 4})
    assert read(FULL) != read({**FULL, "new": 4})
    assert owner("x") != own.models.Shop("x", "y")
    assert owner("x") != "x"
    with pytest.raises(TypeError, match="unhashable"):
        hash(owner("x"))


def test_repr_shows_what_is_there(own: Package) -> None:
    """
    Unset members are left out, long text is cut, and secrets are hidden.
    """
    thing = own.models.Thing("1", tags=["a"], note="n" * 1000, size=own.types.UNSET)
    thing["new"] = 1

    shown = repr(thing)

    assert shown.startswith("Thing(id='1', ") or "id='1'" in shown
    assert "(1000 characters)" in shown
    assert "tags=['a']" in shown
    assert "additional_properties={'new': 1}" in shown
    assert "UNSET" not in shown
    assert 400 > len(shown)
    assert "Owner(name='x', secret='***')" == repr(own.models.Owner("x", secret="hush"))


@pytest.mark.parametrize(
    "clone", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))]
)
def test_copies_and_pickles_are_equal(own: Package, clone: Any) -> None:
    """
    With unknown members and unknown enum values, too.
    """
    thing = own.models.Thing.from_dict({**FULL, "kind": "huge", "level": 7, "new": [1]})

    assert thing == clone(thing)
    assert thing.to_dict() == clone(thing).to_dict()
    assert clone(thing).kind is thing.kind


def test_a_pickle_of_an_older_client_lacks_nothing(own: Package) -> None:
    """
    Members that came since are unset.
    """
    owner = own.models.Owner.__new__(own.models.Owner)

    owner.__setstate__((None, {"name": "x"}))

    assert own.models.Owner("x") == owner


def test_unknown_enum_values_are_values(own: Package) -> None:
    """
    Equal, hashable, one object per value, told apart from known ones.
    """
    kind, level = own.models.Kind, own.models.Level

    assert kind("huge") is kind("huge")
    assert ("huge", "huge", "huge") == (kind("huge"), str(kind("huge")), kind("huge").value)
    assert {"huge"} == {kind("huge")}
    assert (9, "9") == (level(9), str(level(9)))
    assert (False, True) == (kind("huge").is_known, kind("small").is_known)
    assert (False, True) == (level(9).is_known, level(1).is_known)
    assert ["small", "large"] == sorted(kind, reverse=True)
    for wrong in (5, None):
        with pytest.raises(ValueError, match="is not a valid"):
            kind(wrong)
    for other in ("x", "true", 1.5):
        with pytest.raises(ValueError, match="is not a valid"):
            level(other)


def test_endless_unknown_values_are_not_remembered(own: Package) -> None:
    """
    A hostile service cannot fill the memory; equality holds all the same.
    """
    kind, remembered = own.models.Kind, own.types._unknown_values

    for number in range(1000):
        kind(f"value-{number}")
    kind("long" * 1000)

    assert 256 >= sum(1 for cls, _ in remembered if cls is kind)
    assert "long" * 1000 not in {value for _, value in remembered}
    assert kind("value-999") == kind("value-999")
    assert own.types._RECENT_UUIDS >= len(own.types._recent)


def test_many_uuids_are_not_remembered(own: Package) -> None:
    """
    Only the latest are; each is what it says.
    """
    for number in range(3000):
        text = str(uuid.UUID(int=number))
        assert text == str(own.models.Thing.from_dict({"id": "1", "uid": text}).uid)

    assert own.types._RECENT_UUIDS >= len(own.types._recent)


@pytest.mark.parametrize("text", ["{%s}", "urn:uuid:%s", "%s"])
def test_a_uuid_is_read_as_python_reads_it(own: Package, text: str) -> None:
    """
    In all the spellings the standard library takes, and it is a UUID in every respect.
    """
    plain = uuid.UUID("12345678-1234-5678-1234-567812345678")
    read = own.models.Thing.from_dict({"id": "1", "uid": text % plain.hex}).uid

    assert (plain, hash(plain), plain.is_safe) == (read, hash(read), read.is_safe)
    assert plain == pickle.loads(pickle.dumps(read))


def test_a_class_that_two_threads_load_is_one_class(own: Package, packages: Any) -> None:
    """
    Lazy loading under threads gives everybody the same class.
    """
    models = own.models
    vars(models).pop("Shop", None)
    barrier = threading.Barrier(8)
    found: list[Any] = []

    def load() -> None:
        barrier.wait(10)
        found.append(models.Shop)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert (8, 1) == (len(found), len(set(found)))


def test_models_names_what_it_has(own: Package) -> None:
    """
    dir() and __all__ list every model; a typo is an AttributeError.
    """
    assert {"Thing", "Owner", "Kind"} <= set(own.models.__all__) & set(dir(own.models))
    with pytest.raises(AttributeError, match="Thnig"):
        own.models.Thnig  # noqa: B018 - the access is the test


def test_names_that_the_class_needs_are_given_way(own: Package) -> None:
    """
    A member called to_dict is still a member.
    """
    source = {"additional_properties": "a", "to_dict": "b", 'q"uote\\ {x}': "c", "more": "d"}

    odd = own.models.Odd.from_dict(source)

    assert source == odd.to_dict()
    assert "a" == odd.additional_properties_member


def test_text_of_the_document_stays_text(own: Package) -> None:
    """
    Quotes, backslashes, braces and template signs end up in docstrings, unharmed.
    """
    for documented in (own.models.Thing, own.operation("list_things").sync, own.module("client")):
        assert documented.__doc__
    text = own.models.Thing.__doc__.split("Attributes:")[0]
    assert HOSTILE.split() == text.split()
