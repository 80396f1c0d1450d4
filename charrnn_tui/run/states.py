"""How the state of a run is written, in the app and by the commands."""

from typing import Final

_SIGNS: Final = {
    "preparing": "…",
    "training": "●",
    "detached": "●",
    "paused": "‖",
    "finished": "✓",
    "stopped": "■",
    "interrupted": "□",
    "failed": "✗",
}


def state_sign(state: str) -> str:
    """One character; a detached run trains as any other does."""
    return _SIGNS.get(state, "?")


def state_label(state: str) -> str:
    """`● training`, `● training, detached`, `✓ finished`."""
    return f"{state_sign(state)} {'training, detached' if state == 'detached' else state}"
