"""A change to one of the generator's templates, as a value."""

import attrs


@attrs.frozen(kw_only=True)
class Patch:
    """
    What to find in a template of the pinned generator, what to put there, and why.

    The place must be found exactly once. Otherwise the generator has changed, and somebody has to
    look at the template again.
    """

    template: str
    find: str
    put: str
    why: str
