"""Screens of the app as SVG: one, or several as an animation that needs no script.

Each row of cells is drawn once for every time in which it looks the same, and shown in that time by CSS. Readers that
do not animate, and those who have asked for reduced motion, see the last frame. Nothing is loaded from elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

CELL, ROW, SIZE = 8.4, 17, 14  # width and height of a cell, size of the type; pixels
PADDING, BAR = 8, 26  # around the cells, and the height of the title
BACKGROUND, FOREGROUND, TITLE_COLOUR = "#121212", "#e0e0e0", "#a0a0a0"
FONT: Final = "DejaVu Sans Mono,Menlo,Consolas,Liberation Mono,monospace"

BLOCKS: Final = {sign: eighths for eighths, sign in enumerate("▏▎▍▌▋▊▉█", start=1)}  # of a cell, from its left
DOT_ROWS: Final = (0, 1, 2, 0, 1, 2, 3, 3)  # of the dots of a braille pattern, by their bit
RIGHT_DOTS: Final = (3, 4, 5, 7)

Row = tuple[Segment, ...]


@dataclass(frozen=True)
class Frame:
    """A screen. rows: its segments. seconds: for how long it is shown."""

    rows: tuple[Row, ...]
    seconds: float = 1.0


def svg(frames: Sequence[Frame], title: str, description: str) -> str:
    """A window with these frames, one after the other and again from the first; all must be of one size."""
    columns = max(sum(segment.cell_length for segment in row) for row in frames[0].rows)
    width, height = columns * CELL + 2 * PADDING, len(frames[0].rows) * ROW + 2 * PADDING + BAR
    total = sum(frame.seconds for frame in frames)
    styles, times, rows = dict[str, str](), dict[str, str](), list[str]()
    for number in range(len(frames[0].rows)):
        for row, start, end in _spans([(frame.rows[number], frame.seconds) for frame in frames]):
            drawn = _drawn(row, PADDING, BAR + PADDING + number * ROW, styles)
            if not drawn:
                continue
            if end - start == total:
                rows.append(f"<g>{drawn}</g>")
                continue
            shown = times.setdefault(_keyframes(start / total, end / total), f"t{len(times)}")
            at_rest = "visible" if end == total else "hidden"
            rows.append(f'<g class="{shown}" visibility="{at_rest}">{drawn}</g>')
    css = [
        "text{white-space:pre}",
        *(f".{name}{{{rule}}}" for rule, name in styles.items()),
        *(f"@keyframes {name}{{{keyframes}}}" for keyframes, name in times.items()),
        *(f".{name}{{animation:{name} {total:.2f}s step-end infinite}}" for name in times.values()),
        *(["@media(prefers-reduced-motion:reduce){g{animation:none!important}}"] if times else []),
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img" '
            f'aria-label="{escape(description)}" xml:space="preserve" font-family="{FONT}" font-size="{SIZE}">',
            f"<style>{''.join(css)}</style>",
            f'<rect width="{width:g}" height="{height:g}" rx="8" fill="{BACKGROUND}" stroke="#444"/>',
            f'<text x="{width / 2:g}" y="18" text-anchor="middle" fill="{TITLE_COLOUR}">{escape(title)}</text>',
            *rows,
            "</svg>",
            "",
        ]
    )


def _spans(shown: Sequence[tuple[Row, float]]) -> list[tuple[Row, float, float]]:
    """Each row with the seconds from which and until which it looks so."""
    spans: list[tuple[Row, float, float]] = []
    now = 0.0
    for row, seconds in shown:
        if spans and spans[-1][0] == row:
            spans[-1] = (row, spans[-1][1], now + seconds)
        else:
            spans.append((row, now, now + seconds))
        now += seconds
    return spans


def _keyframes(start: float, end: float) -> str:
    first = "" if start == 0 else "0%{visibility:hidden}"
    last = "" if end > 0.99999 else f"{100 * end:.2f}%{{visibility:hidden}}"
    return f"{first}{100 * start:.2f}%{{visibility:visible}}{last}"


def _drawn(row: Row, left: float, top: float, styles: dict[str, str]) -> str:
    """The backgrounds and texts of a row."""
    drawn, column = "", 0
    for text, style in _joined(row):
        cells, x = cell_len(text), left + column * CELL
        column += cells
        colour, background = _colours(style)
        if background != BACKGROUND:
            drawn += f'<rect x="{x:g}" y="{top:g}" width="{cells * CELL:g}" height="{ROW}" fill="{background}"/>'
        drawn += "".join(
            _run(kind, part, x + place * CELL, top, colour, styles.setdefault(_css(style, colour), f"s{len(styles)}"))
            for kind, place, part in _runs(text)
        )
    return drawn


def _runs(text: str) -> list[tuple[str, int, str]]:
    """(kind, cell where it begins, characters) of what is drawn in one piece: words, blocks or braille."""
    runs: list[tuple[str, int, str]] = []
    place = 0
    for sign in text:
        kind = "blocks" if sign in BLOCKS else "braille" if "⠀" <= sign <= "⣿" else "words"
        if runs and runs[-1][0] == kind:
            runs[-1] = (kind, runs[-1][1], runs[-1][2] + sign)
        else:
            runs.append((kind, place, sign))
        place += cell_len(sign)
    return runs


def _run(kind: str, text: str, x: float, top: float, colour: str, style: str) -> str:
    """Blocks and braille are drawn, not written: not every font has them, and few let them touch."""
    if kind == "blocks":
        path = "".join(
            f"M{x + n * CELL:.1f} {top}h{CELL * BLOCKS[sign] / 8:.2f}v{ROW}H{x + n * CELL:.1f}z"
            for n, sign in enumerate(text)
        )
        return f'<path fill="{colour}" d="{path}"/>'
    if kind == "braille":
        dots = [
            f"M{x + (n + 0.3 + 0.5 * (bit in RIGHT_DOTS)) * CELL:.1f} {top + (DOT_ROWS[bit] + 0.5) * ROW / 4:.1f}h0"
            for n, sign in enumerate(text)
            for bit in range(8)
            if ord(sign) - ord("⠀") >> bit & 1
        ]
        return f'<path stroke="{colour}" stroke-width="2.2" stroke-linecap="round" d="{"".join(dots)}"/>'
    words = text.strip(" ")
    if not words:
        return ""
    x += (len(text) - len(text.lstrip(" "))) * CELL
    return (
        f'<text class="{style}" x="{x:.1f}" y="{top + 0.76 * ROW:.1f}" textLength="{cell_len(words) * CELL:.1f}">'
        f"{escape(words, quote=False)}</text>"
    )


def _joined(row: Row) -> list[tuple[str, Style]]:
    """Neighbours that look the same, as one."""
    joined: list[tuple[str, Style]] = []
    for segment in row:
        style = segment.style or Style.null()
        if joined and joined[-1][1] == style:
            joined[-1] = (joined[-1][0] + segment.text, style)
        else:
            joined.append((segment.text, style))
    return joined


def _colours(style: Style) -> tuple[str, str]:
    colour = style.color.get_truecolor().hex if style.color and not style.color.is_default else FOREGROUND
    background = style.bgcolor.get_truecolor().hex if style.bgcolor and not style.bgcolor.is_default else BACKGROUND
    return (background, colour) if style.reverse else (colour, background)


def _css(style: Style, colour: str) -> str:
    rules = [f"fill:{colour}"]
    rules += ["font-weight:bold"] if style.bold else []
    rules += ["font-style:italic"] if style.italic else []
    rules += ["text-decoration:underline"] if style.underline else []
    rules += ["opacity:.6"] if style.dim else []
    return ";".join(rules)
