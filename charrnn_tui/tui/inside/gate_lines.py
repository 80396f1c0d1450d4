"""What a study of the gates has found, as lines: a pure function."""

from typing import Final

from charrnn_tui.analysis.gates import CLOSED, OPEN
from charrnn_tui.playground.model_studies import GatesFound
from charrnn_tui.tui.train.run_lines import bar

BAR: Final = 11  # cells of a bar


def gate_lines(found: GatesFound) -> list[str]:
    """A line for each gate of each layer: how often it is closed and open, with bars."""
    lines = [f"layer  gate    {f'closed: below {CLOSED}':<{BAR + 7}}  open: above {OPEN}"]
    for each in found.shares:
        closed, opened = (f"{share:>6.1%} {bar(share, BAR)}" for share in (each.closed, each.open))
        lines.append(f"{each.layer:>5}  {each.gate:<6}  {closed}  {opened}")
    lines += ["", "Shares of the layer's units and of the characters that were read."]
    if any(each.gate == "forget" for each in found.shares):
        lines.append("A forget gate that is open keeps what the cell holds; one that is closed erases it.")
    return lines
