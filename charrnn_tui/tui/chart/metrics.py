"""What else than losses a chart can draw over the steps of a run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from charrnn_tui.run.progress import RunProgress

Points = tuple[Sequence[int], Sequence[float]]  # steps and values, of the same length


@dataclass(frozen=True)
class Metric:
    """unit: of its points, chosen so that they have few digits."""

    name: str
    unit: str
    points: Callable[[RunProgress], Points]


def _of_steps(column: str, factor: float = 1.0) -> Callable[[RunProgress], Points]:
    return lambda progress: (progress.steps, [factor * value for value in getattr(progress, column)])


def _of_system(fact: str, factor: float = 1.0) -> Callable[[RunProgress], Points]:
    def points(progress: RunProgress) -> Points:
        known = [(each.step, getattr(each, fact)) for each in progress.system if getattr(each, fact) is not None]
        return [step for step, _ in known], [factor * value for _, value in known]

    return points


METRICS: Final = (
    Metric("gradient norm", "", _of_steps("grad_norms")),
    Metric("learning rate", "thousandths", _of_steps("learning_rates", 1e3)),
    Metric("speed", "k chars/s", _of_steps("speeds", 1e-3)),
    Metric("processor", "% of all cores", _of_system("cpu_percent")),
    Metric("memory", "GB", _of_system("memory_bytes", 1e-9)),
    Metric("GPU", "% of the time", _of_system("gpu_percent")),
    Metric("GPU temperature", "degrees Celsius", _of_system("gpu_celsius")),
)


def next_metric(metric: Metric | None, progress: RunProgress) -> Metric | None:
    """The next one that the run has points of; None, the losses, after the last."""
    rest = METRICS[METRICS.index(metric) + 1 :] if metric else METRICS
    return next((each for each in rest if len(each.points(progress)[0])), None)
