"""The pictures of the guide: screens of the app as SVG that animates without a script."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style

from docs.frames import Frame, svg

DOCS = Path(__file__).parents[1] / "docs"
LARGEST = 400_000  # bytes
SVG = "{http://www.w3.org/2000/svg}"


def frame(*rows: str, seconds: float = 1.0, style: Style | None = None) -> Frame:
    return Frame(tuple((Segment(row, style),) for row in rows), seconds)


def visible_at(drawn: str, seconds: float, total: float) -> str:
    """The words that an animating reader sees at a time."""
    root = ET.fromstring(drawn)
    css = root.findtext(f"{SVG}style") or ""
    words = []
    for group in root.iter(f"{SVG}g"):
        shown = True
        if name := group.get("class"):
            (body,) = re.findall(rf"@keyframes {name}\{{((?:[^{{}}]*\{{[^{{}}]*\}})*)\}}", css)
            steps = [(float(at), what) for at, what in re.findall(r"([\d.]+)%\{visibility:(\w+)\}", body)]
            shown = [what for at, what in steps if at <= 100 * seconds / total][-1] == "visible"
        words += [text.text or "" for text in group.iter(f"{SVG}text") if shown]
    return "|".join(words)


def test_each_frame_is_seen_in_its_time_and_the_last_one_without_animation() -> None:
    drawn = svg([frame("still", "one"), frame("still", "two", seconds=2), frame("still", "one")], "t", "d")
    assert [visible_at(drawn, at, 4) for at in (0.5, 1.5, 2.5, 3.5)] == [
        "still|one",
        "still|two",
        "still|two",
        "still|one",
    ]
    at_rest = [group for group in ET.fromstring(drawn).iter(f"{SVG}g") if group.get("visibility") != "hidden"]
    assert [text.text for group in at_rest for text in group.iter(f"{SVG}text")] == ["still", "one"]
    assert "prefers-reduced-motion" in drawn


def test_a_row_that_never_changes_is_drawn_once() -> None:
    drawn = svg([frame("still", f"row {number}") for number in range(10)], "t", "d")
    assert drawn.count(">still<") == 1


def test_characters_of_markup_are_escaped_and_places_kept() -> None:
    drawn = svg([frame("  a < b & c")], "<t>", '"d"')
    texts = list(ET.fromstring(drawn).iter(f"{SVG}text"))
    assert [text.text for text in texts] == ["<t>", "a < b & c"]
    assert float(texts[1].attrib["x"]) == pytest.approx(8 + 2 * 8.4)


def test_bars_and_braille_are_drawn_without_a_font() -> None:
    root = ET.fromstring(svg([frame("█▌⠁⣿")], "t", "d"))
    blocks, braille = root.iter(f"{SVG}path")
    assert blocks.attrib["d"].count("M") == 2
    assert braille.attrib["d"].count("M") == 1 + 8
    assert [text.text for text in root.iter(f"{SVG}text")] == ["t"]


def test_colours_and_reversal_are_those_of_the_screen() -> None:
    drawn = svg([frame("x", style=Style(color="#112233", bgcolor="#445566", reverse=True))], "t", "d")
    assert 'fill="#112233"' in drawn  # the background
    assert "fill:#445566" in drawn


@pytest.mark.parametrize("picture", sorted(DOCS.glob("*.svg")), ids=lambda picture: picture.name)
def test_a_picture_is_small_and_loads_nothing(picture: Path) -> None:
    drawn = picture.read_text("utf-8")
    assert len(drawn.encode()) < LARGEST
    assert ET.fromstring(drawn).get("aria-label")
    assert set(re.findall(r"\bhttps?://[^\s\"']+", drawn)) == {"http://www.w3.org/2000/svg"}
    assert "<script" not in drawn
