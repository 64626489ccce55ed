"""A file system of fsspec on this machine's disk that is cut off when a test says so: ``cut:///folder``."""

import threading

import fsspec
from fsspec.implementations.local import LocalFileSystem


class CutStore(LocalFileSystem):
    """
    Attributes:
        calls: Made by now.
        cut: Numbers of the calls that fail.
        open_gate: Until it is set, whoever reads a file waits after the first piece.
    """

    protocol = ("cut",)
    calls = 0
    cut = range(0)
    open_gate = threading.Event()

    @classmethod
    def reset(cls):
        cls.calls, cls.cut = 0, range(0)
        cls.open_gate.set()

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.removeprefix("cut://"))

    def _count(self):
        CutStore.calls += 1
        if CutStore.calls - 1 in CutStore.cut:
            raise ConnectionError("the cable")

    def makedirs(self, path, exist_ok=False):
        self._count()
        super().makedirs(path, exist_ok)

    def info(self, path, **more):
        self._count()
        return super().info(path, **more)

    def mv(self, path1, path2, **more):
        self._count()
        super().mv(path1, path2, **more)

    def _open(self, path, mode="rb", **more):
        self._count()
        return _File(super()._open(path, mode, **more))


class _File:
    def __init__(self, file):
        self._file = file
        self._reads = 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def read(self, size):
        self._reads += 1
        if self._reads > 1:
            assert CutStore.open_gate.wait(10)
        return self._file.read(size)

    def write(self, piece):
        return self._file.write(piece)


fsspec.register_implementation("cut", CutStore, clobber=True)
