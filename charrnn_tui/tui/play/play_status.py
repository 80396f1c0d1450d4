"""The line under the text: its length, its nats per character, the speed, and what is going on."""

from charrnn_tui.playground.writer import Writer
from charrnn_tui.run.quantities import per_char
from charrnn_tui.tui.static_line import longest_fitting


def status_of(writer: Writer, waiting_for: str, width: int, go_on: str = "g") -> str:
    """Such as `writing · 213 chars · 1.19 nats/char (1.71 bits) · 5,090 chars/s`, with fewer figures where width cells
    have no room for them. waiting_for: may be empty. go_on: the key that continues the text.
    """
    stopped = "end reached" if writer.at_stop else "page full" if writer.resting else "stopped"
    doing = "writing" if writer.writing else f"{stopped}, press {go_on} to continue"
    lines = [waiting_for or ("" if writer.sampler is None else doing)]
    if writer.count:
        chars, surprise = f"{writer.count:,} chars", per_char(writer.nats_per_char)
        parts = [chars, surprise.partition(" (")[0]]
        lines += [" · ".join(filter(None, [lines[0], *more])) for more in (parts, [chars, surprise])]
        if writer.writing and writer.chars_per_second:
            lines.append(f"{lines[-1]} · {writer.chars_per_second:,.0f} chars/s")
    return longest_fitting(lines, width)
