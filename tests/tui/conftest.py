"""The screens begin with the same backends and models as the playground does."""

from tests.playground.conftest import backend, file, shipped, shipped_prime

__all__ = ["backend", "file", "shipped", "shipped_prime"]
