"""Numbers formatted for people, with units."""

import math
import re
import time

LN2 = math.log(2)


def bits(nats: float) -> float:
    """Convert nats to bits."""
    return nats / LN2


def nats(bits: float) -> float:
    """Convert bits to nats."""
    return bits * LN2


def perplexity(loss: float) -> float:
    """Of a loss in nats; infinite where a float cannot hold it."""
    return math.exp(loss) if loss < 700 else math.inf


def per_char(loss: float) -> str:
    """`1.19 nats/char (1.71 bits)`."""
    return f"{loss:.2f} nats/char ({bits(loss):.2f} bits)"


def bits_per_byte(loss: float, bytes_per_char: float) -> float:
    """A loss in nats a character as bits a byte of the text in UTF-8, which other alphabets and tokens share."""
    return bits(loss) / bytes_per_char


def nats_and_bits(loss: float, per_byte: float | None = None) -> str:
    """`1.1970 nats/char (1.727 bits/char)`; per_byte: bits a byte, `1.727 bits/byte`, where they are known."""
    return f"{loss:.4f} nats/char ({bits_text(loss, per_byte)})"


def bits_text(loss: float, per_byte: float | None = None) -> str:
    """`1.727 bits/char, 1.727 bits/byte`."""
    return f"{bits(loss):.3f} bits/char" + ("" if per_byte is None else f", {per_byte:.3f} bits/byte")


def age(then: float) -> str:
    """`2 h 05 min ago`, for a time in Unix seconds."""
    return f"{duration(max(0.0, time.time() - then))} ago"


def duration(seconds: float) -> str:
    """`4.2 s`, `41 s`, `12 min`, `2 h 05 min`, `3 d 04 h`."""
    if not math.isfinite(seconds):
        return "–"
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02} min"
    return f"{hours // 24} d {hours % 24:02} h"


_UNIT_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def seconds_of(text: str) -> float:
    """The seconds of `90s`, `10m`, `1h30m`, `1.5h`, `2d`. Raises ValueError, whose message says how to write a time."""
    parts = re.findall(r"(\d+\.?\d*|\.\d+)([dhms])", text.replace(" ", ""))
    if not parts or "".join(map("".join, parts)) != text.replace(" ", ""):
        raise ValueError(f"{text!r} is not a time such as 90s, 10m, 1h30m or 2h")
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)


def no_improvement(validations: int) -> str:
    """`no improvement in 3 validations`: why a training ended, and why it cannot be resumed as it is."""
    return f"no improvement in {validations} validation{'s' if validations > 1 else ''}"


def count(number: float) -> str:
    """`950`, `12.4k`, `3.34M`, `2.1G`: three significant figures."""
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= 0.9995 * limit:
            scaled = number / limit
            decimals = 2 if abs(scaled) < 10 else 1 if abs(scaled) < 100 else 0
            shown = f"{scaled:.{decimals}f}"
            return (shown.rstrip("0").rstrip(".") if decimals else shown) + letter
    return f"{number:.0f}"


def size(count_of_bytes: float) -> str:
    """`512 B`, `13.4 MB`: powers of a thousand, as disks and `ls` with --si count."""
    for limit, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count_of_bytes >= 0.9995 * limit:
            return f"{count_of_bytes / limit:.3g} {unit}"
    return f"{count_of_bytes:.0f} B"
