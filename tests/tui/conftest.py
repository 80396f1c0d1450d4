"""The screens begin with the same backends and models as the playground does."""

from tests.playground.conftest import backend, file, shipped

__all__ = ["backend", "file", "shipped"]
