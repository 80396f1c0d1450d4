"""What counting the n-grams of a run's text has found, as lines: a pure function."""

from charrnn_tui.playground.ngram_baseline import NgramBaseline
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.chart.series import LossCurves, passed_at


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
