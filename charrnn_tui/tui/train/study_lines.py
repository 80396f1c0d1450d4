"""What the studies of a run have found, as lines: pure functions."""

from typing import Final

from charrnn_tui.analysis.gates import CLOSED, OPEN
from charrnn_tui.playground.model_studies import GatesFound
from charrnn_tui.playground.ngram_baseline import NgramBaseline
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.chart.series import LossCurves, passed_at
from charrnn_tui.tui.train.run_lines import bar

BAR: Final = 11  # cells of a bar


def ngram_lines(baseline: NgramBaseline, progress: RunProgress) -> list[str]:
    """A line an order, with the step of the first validation below it; then the best of both."""
    validation = LossCurves.of(progress).validation
    lines = ["         nats/char  first passed by a validation"]
    for n, loss in enumerate(baseline.losses, 1):
        step = passed_at(validation, loss)
        passed = "not yet" if step is None else f"at step {step:,}"
        lines.append(f"{n:>2}-gram  {loss:>9.4f}  {passed}{'  (the lowest)' if n == baseline.best else ''}")
    lines.append("")
    if (best := progress.best_evaluation) is not None and baseline.best:
        gap = baseline.losses[baseline.best - 1] - best.val_loss
        more = f"{abs(gap):.4f} {'less' if gap >= 0 else 'more'} than the {baseline.best}-gram"
        lines.append(f"best val {best.val_loss:.4f} nats/char at step {best.step:,}, {more}")
    lines.append("The n-grams (modified Kneser–Ney) count the training part and read the validation part in one pass.")
    return lines


def gate_lines(found: GatesFound) -> list[str]:
    """A line for each gate of each layer: how often it is closed and open, with bars."""
    lines = [f"layer  gate    {f'closed: below {CLOSED}':<{BAR + 7}}  open: above {OPEN}"]
    for each in found.shares:
        closed, opened = (f"{share:>6.1%} {bar(share, BAR)}" for share in (each.closed, each.open))
        lines.append(f"{each.layer:>5}  {each.gate:<6}  {closed}  {opened}")
    of_step = "" if found.step is None else f", the model of step {found.step:,}"
    lines += ["", f"Shares of all units and of {found.chars:,} characters of the validation part{of_step}."]
    if any(each.gate == "forget" for each in found.shares):
        lines.append("A forget gate that is open keeps what the cell holds; one that is closed erases it.")
    return lines
