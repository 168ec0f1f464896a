"""
Cassettes without secrets: what is recorded is scrubbed when written, and can be scanned.

    requests and answers -> whose they are -> secrets found -> placeholders -> file -> scan

The pytest plugin (`auth_ext.pytest_plugin`) does this for pytest-recording by itself. For vcrpy
alone:

    recorder = scrub(vcr.VCR(cassette_library_dir="cassettes"))

and, in a test of your own, over all cassettes that lie in a folder:

    assert not leaks("tests")

Needs the extra `testing`.
"""

from auth_ext.testing._cassettes import scrub
from auth_ext.testing._scan import Leak, leaks

__all__ = ["Leak", "leaks", "scrub"]
