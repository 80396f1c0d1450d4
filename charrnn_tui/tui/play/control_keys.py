"""Keys for the controls, which act whichever pane has the focus."""

from charrnn_tui.playground.controls import BIG_STEP
from charrnn_tui.tui.keys import Key


def control_keys(screen: str) -> tuple[Key, ...]:
    """screen: the beginning of the keys' ids."""
    return (
        Key("up", "choose(-1)", "Control above", "Choose the control above.", f"{screen}.control_above"),
        Key("down", "choose(1)", "Control below", "Choose the control below.", f"{screen}.control_below"),
        Key(
            "left", "change(-1)", "Decrease", "Change the chosen control to its value before.", f"{screen}.change_left"
        ),
        Key("right", "change(1)", "Increase", "Change the chosen control to its next value.", f"{screen}.change_right"),
        Key(
            "shift+left,ctrl+left",
            f"change(-{BIG_STEP})",
            "Big step back",
            f"Change the chosen control by {BIG_STEP} values.",
            f"{screen}.big_left",
        ),
        Key(
            "shift+right,ctrl+right",
            f"change({BIG_STEP})",
            "Big step on",
            f"Change the chosen control by {BIG_STEP} values.",
            f"{screen}.big_right",
        ),
        Key(
            "enter",
            "type_value",
            "Type a value",
            "Open a field for a value of the chosen control.",
            f"{screen}.type_value",
        ),
        Key("backspace", "reset_control", "Default", "Set the chosen control to its default.", f"{screen}.default"),
    )
