"""The line under the text: its length, its bits per character, the speed, and what is going on."""

from charrnn_tui.playground.writer import Writer


def status_of(writer: Writer, waiting_for: str) -> str:
    """Such as `213 chars · 1.71 bits/char · 5,090 chars/s · writing`. waiting_for: what it waits for, or empty."""
    parts = []
    if writer.count:
        parts += [f"{writer.count:,} chars", f"{writer.bits_per_char:.2f} bits/char"]
        if writer.chars_per_second:
            parts.append(f"{writer.chars_per_second:,.0f} chars/s")
    if waiting_for:
        parts.append(waiting_for)
    elif writer.sampler is not None:
        stopped = "page full" if writer.resting else "stopped"
        parts.append("writing" if writer.writing else f"{stopped}, press g to continue")
    return " · ".join(parts)
