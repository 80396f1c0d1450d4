import numpy as np

from charrnn_tui.tui.chart import braille


def picture(dots: braille.Dots) -> list[str]:
    return ["".join(chr(braille.BRAILLE + pattern) for pattern in row) for row in braille.to_cells(dots).tolist()]


def test_each_dot_becomes_its_unicode_bit() -> None:
    for index, bit in enumerate((0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80)):
        dots = np.zeros((4, 2), dtype=bool)
        dots[index // 2, index % 2] = True
        assert braille.to_cells(dots).tolist() == [[bit]]


def test_cells_keep_their_place_in_a_larger_raster() -> None:
    dots = np.zeros((8, 6), dtype=bool)
    dots[4:, 4:] = True
    assert picture(dots) == ["⠀⠀⠀", "⠀⠀⣿"]


def test_a_stroke_spans_both_its_ends() -> None:
    dots = braille.strokes(np.array([1.0, 2.9]), np.array([2.0, 2.9]), 4)
    assert dots.T.tolist() == [[False, True, True, False], [False, False, True, False]]


def test_a_stroke_without_an_end_is_not_drawn() -> None:
    assert not braille.strokes(np.array([np.nan, 1.0]), np.array([1.0, np.nan]), 4).any()


def test_a_stroke_beyond_the_edge_leaves_a_dot_at_the_edge() -> None:
    dots = braille.strokes(np.array([-9.0, 9.0]), np.array([-5.0, 99.0]), 4)
    assert dots.T.tolist() == [[True, False, False, False], [False, False, False, True]]


def test_a_flat_line_is_as_thick_as_asked() -> None:
    assert picture(braille.line(np.full(6, 1.0), 4)) == ["⠒⠒⠒"]
    assert picture(braille.line(np.full(6, 1.0), 4, thickness=2)) == ["⠶⠶⠶"]


def test_a_steep_line_stays_connected() -> None:
    dots = braille.line(np.array([0.0, 15.0]), 16)
    assert dots.any(axis=1).all()


def test_a_gap_interrupts_a_line_and_nothing_else() -> None:
    assert picture(braille.line(np.array([0, 0, np.nan, np.nan, 0, 0]), 4)) == ["⠉⠀⠉"]


def test_a_dashed_line_keeps_the_first_dots_of_each_period() -> None:
    assert picture(braille.dashed(braille.line(np.zeros(12), 4), 6, 4)) == ["⠉⠉⠀⠉⠉⠀"]


def test_nothing_is_drawn_into_no_room() -> None:
    assert braille.to_cells(braille.line(np.array([]), 0)).shape == (0, 0)
    assert braille.to_cells(braille.strokes(np.array([1.0, 1.0]), np.array([2.0, 2.0]), 0)).shape == (0, 1)
