"""What moto works out for every request although it stays the same, worked out once."""

import gc

from moto import backends
from moto.core import errors


def install():
    modules = frozenset(backends.list_of_moto_modules())  # asks the file system for each of 170
    backends.list_of_moto_modules = lambda: modules
    known = {}  # the errors of each service, by code

    def init(self):
        self._error_lut_cache = known

    errors.ErrorLookupFactory.__init__ = init


def started():
    """Leaves what was imported out of the search for garbage, and searches less often."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
