"""Licences at the ends of texts: found, and no more than these."""

from pathlib import Path

import pytest

from charrnn_tui.text.boilerplate import Boilerplate, find_boilerplate
from charrnn_tui.text.corpus import load_corpus
from charrnn_tui.text.text_settings import TextSettings

BOOK = (
    "\n\n".join(f"    It was the {n}th day, and they walked along the river.\nNobody spoke." for n in range(400)) + "\n"
)
GUTENBERG = (
    "The Project Gutenberg eBook of A Walk\n\nThis eBook is for the use of anyone anywhere.\n\nTitle: A Walk\n\n"
    "*** START OF THE PROJECT GUTENBERG EBOOK A WALK ***\n\n\nProduced by Some One and the Distributed Proofreading "
    "Team\n\n\n\n"
)
GUTENBERG_END = (
    "\n\nEnd of Project Gutenberg's A Walk, by Some One\n\n*** END OF THE PROJECT GUTENBERG EBOOK A WALK ***\n\n"
    + "Updated editions will replace the previous one. " * 60
    + "\n\nSection 1.\n\nAnd so on.\n"
)
MIT = (
    "Copyright (c) 2001 Some One\n\nPermission is hereby granted, free of charge, to any person\nobtaining a copy.\n\n"
)
TEXTS = {
    "Project Gutenberg": (GUTENBERG, GUTENBERG_END),
    "an old one": ("Please read.\n*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\n\n", ""),
    "a licence before": (MIT, ""),
    "a licence behind": ("", "\n\n" + MIT.rstrip() + "\n"),
}


def found_in(text: str, file: Path) -> Boilerplate:
    file.write_text(text, encoding="utf-8")
    return find_boilerplate(load_corpus([file]))


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_left_is_the_book(name: str, tmp_path: Path) -> None:
    head, tail = TEXTS[name]
    found = found_in(head + BOOK + tail, tmp_path / "t")
    assert (found.head, found.tail) == (len(head), len(tail))
    left = load_corpus([tmp_path / "t"], TextSettings(skip_head=found.head, skip_tail=found.tail))
    assert left.vocabulary.decode(left.ids) == BOOK
    assert (found.begins, found.ends) == ("It was the 0th day, and they walked along the river.", "Nobody spoke.")


@pytest.mark.parametrize(
    "text",
    [
        BOOK,
        "ab",
        "\n\n\n",
        BOOK + "Was it in the public domain?\n" + BOOK,  # too far from both ends
        "The copyright 1877 was his.\n" + BOOK.replace("\n\n", "\n"),  # prose without paragraphs
    ],
)
def test_a_text_without_a_licence_is_left_as_it_is(text: str, tmp_path: Path) -> None:
    assert not found_in(text, tmp_path / "t")
