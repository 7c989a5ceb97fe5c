"""Byte code that outlives its source by less than Python notices."""

import time
from importlib.machinery import SourceFileLoader

YOUNG = 2  # seconds: one for the resolution of byte code's time, one for coarse file systems


def distrust_young():
    """Keep this process from caching byte code of a source that was just saved.

    Byte code is taken for that of a source with the same length and the same
    time in whole seconds (PEP 552). Somebody who saves twice within a second,
    with one digit changed, would go on getting the first version.
    """
    original = SourceFileLoader.set_data

    def set_data(self, path, data, **options):
        saved = int.from_bytes(data[8:12], "little") if not int.from_bytes(data[4:8], "little") else 0
        if abs(time.time() - saved) > YOUNG:
            original(self, path, data, **options)

    SourceFileLoader.set_data = set_data
