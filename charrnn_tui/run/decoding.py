"""The one layer that decodes what is read from files: behind it everything has its declared type."""

import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, TypeVar

import msgspec

T = TypeVar("T")

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Finite = Annotated[float, msgspec.Meta(ge=-1e300, le=1e300)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e15)]

LONGEST_JSON = 2 << 20  # bytes; `[],[],…` takes 21 times its length in memory


class DecodingError(ValueError):
    """Contents of a file that are not what they should be; the message is one line."""


def snake_case(name: str) -> str:
    """StepDone → step_done: the name of a class in JSON."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def finite_or_null(values: dict[str, Any]) -> dict[str, Any]:
    """A JSON object with null for NaN and infinities, which JSON lacks."""
    lost = [name for name, value in values.items() if isinstance(value, float) and not math.isfinite(value)]
    return values | dict.fromkeys(lost)


def read_json(data: bytes | str) -> Any:
    """Builtin objects from JSON; NaN and lone surrogates are read, too. Raises DecodingError."""
    if len(data) > LONGEST_JSON:
        raise DecodingError(f"is too long: {len(data):,} bytes")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:  # RecursionError: thousands of brackets
        raise DecodingError(f"is not JSON: {error}") from None


def convert(values: Any, kind: type[T]) -> T:
    """Builtin objects as this type. Raises DecodingError that names the place, such as `step: Expected …`."""
    try:
        return msgspec.convert(values, kind)
    except (ValueError, RecursionError) as error:
        raise _named(error) from None


def _named(error: Exception) -> DecodingError:
    problem, _, place = str(error).partition(" - at ")
    named = place.strip("`").removeprefix("$").removeprefix(".")
    return DecodingError(f"{named}: {problem}" if named else problem)


def readable(values: Any, kinds: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The members of a JSON object that are of their kinds; and the names of the others, damaged or unknown."""
    kept: dict[str, Any] = {}
    for name, value in values.items() if isinstance(values, dict) else ():
        with suppress(KeyError, DecodingError):
            kept[name] = convert(value, kinds[name])
    return kept, [name for name in values if name not in kept] if isinstance(values, dict) else []


def decode(data: bytes | str, kind: type[T]) -> T:
    """JSON as this type. Raises DecodingError."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise _named(error) from None
    except (ValueError, RecursionError):  # lone surrogates, NaN, or no JSON
        return convert(read_json(data), kind)
