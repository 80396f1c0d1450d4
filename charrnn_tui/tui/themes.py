"""The colours of the app: Textual's themes, and two of ours, of hues that colour-blind readers tell apart."""

from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

# Okabe & Ito (2008), Color Universal Design: sky blue, reddish purple, orange, yellow, vermillion, bluish green; the
# last two are lighter here, so that words in them can be read on black, and all of them darker on white.
OUR_THEMES: Final = (
    Theme(
        name="okabe-ito",
        primary="#56B4E9",
        secondary="#CC79A7",
        accent="#E69F00",
        warning="#F0E442",
        error="#FF7F2A",
        success="#2BB78C",
        foreground="#E4E4E4",
        background="#121212",
        surface="#1E1E1E",
        panel="#2A2E33",
    ),
    Theme(
        name="okabe-ito-light",
        primary="#0072B2",
        secondary="#A0507D",
        accent="#B36B00",
        warning="#8A7A00",
        error="#B34400",
        success="#007A59",
        foreground="#1A1A1A",
        background="#F7F7F7",
        surface="#EDEDED",
        panel="#DDE2E6",
        dark=False,
        variables={"footer-key-foreground": "#0072B2"},
    ),
)


def theme_names() -> list[str]:
    """The names of all themes, ours first."""
    return [*(theme.name for theme in OUR_THEMES), *sorted(BUILTIN_THEMES)]
