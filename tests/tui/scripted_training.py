"""A backend whose trainings are scripts: events come without a model, requests are answered as a trainer would."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from charrnn_tui.run.control import Control, EndAfterEpoch, Pause, Resume, ScaleLearningRate, Stop
from charrnn_tui.run.directory import EventWriter, RunDirectory
from charrnn_tui.run.events import (
    Evaluated,
    Event,
    LearningRateChanged,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    SampleWritten,
    StepDone,
)
from charrnn_tui.run.settings import RunRequest
from charrnn_tui.text.corpus import Corpus, load_corpus
from charrnn_tui.text.text_settings import TextSettings
from tests.playground.scripted_backend import ScriptedBackend


def started(steps: int = 1000, **facts: object) -> RunStarted:
    values: dict[str, object] = {"corpus": "tiny", "chars": 5000, "tokens": 30, "parameters": 12_345}
    values |= {"device": "cpu", "device_name": "Abacus", "precision": "float32", "threads": 2}
    values |= {"flops_per_char": 7_900_000, "limit_gflops": 159.0}  # 12,000 chars/s are 94.8 GFLOP/s
    values |= {"epochs": 10, "steps": steps, "steps_per_epoch": steps // 10, "settings": {"n_layers": 2, "n_hidden": 8}}
    return RunStarted(time=time.time(), **(values | facts))  # type: ignore[arg-type]  # a test's own keywords


def step_done(step: int, loss: float = 2.0) -> StepDone:
    return StepDone(
        time=time.time(),
        step=step,
        epoch=step // 100 + 1,
        loss=loss,
        grad_norm=0.5,
        lr=0.001,
        seconds=0.1,
        chars_per_second=12_000.0,
        train_seconds=step / 10,
        eta_seconds=(1000 - step) / 10,
    )


def evaluated(step: int, val_loss: float, best: bool = True) -> Evaluated:
    return Evaluated(
        time=time.time(),
        step=step,
        epoch=1,
        loss=2.0,
        val_loss=val_loss,
        best_val_loss=val_loss,
        best=best,
        batch_size=4,
        seq_length=10,
        seconds=0.1,
    )


def sample_written(step: int, text: str) -> SampleWritten:
    return SampleWritten(time=time.time(), step=step, prime="", text=text, seed=0, top_k=5, val_loss=1.5)


def write_events(run: RunDirectory, events: Sequence[Event]) -> RunDirectory:
    """A run on disk, as an earlier training left it."""
    run.path.mkdir(parents=True, exist_ok=True)
    writer = EventWriter(run.events_file)
    for event in events:
        writer.append(event)
    writer.close()
    return run


@dataclass
class TrainingBackend(ScriptedBackend):
    """Its runs step on until they are stopped. refusal: what is wrong with any run that is asked for."""

    refusal: str = ""
    sample: str = "a sample"
    controls: list[Control] = field(default_factory=list)

    def read_corpus(self, paths: Sequence[str], settings: TextSettings) -> Corpus:
        return load_corpus(paths, settings)

    def start_run(self, request: RunRequest, control: Control) -> tuple[RunDirectory, Generator[Event, None, None]]:
        if self.refusal:
            raise ValueError(self.refusal)
        run = RunDirectory.create(self.runs_directory, "tiny", request.name)
        self.request = request
        self.controls.append(control)
        return run, self._events(run, control)

    def stop(self) -> None:
        """End what still trains: it would take the time of the tests that follow."""
        for control in self.controls:
            control.request(Stop())

    def _events(self, run: RunDirectory, control: Control) -> Generator[Event, None, None]:
        writer = EventWriter(run.events_file)
        for event in self._script(control):
            writer.append(event)
            yield event
        writer.close()

    def _script(self, control: Control) -> Generator[Event, None, None]:
        yield started()
        step = 0
        while True:
            request = control.take()
            match request:
                case Pause():
                    yield RunPaused(time=time.time(), step=step)
                    while not isinstance(request := control.wait(), Resume | Stop):
                        pass
                    if isinstance(request, Resume):
                        yield RunResumed(time=time.time(), step=step)
                case ScaleLearningRate(factor):
                    yield LearningRateChanged(time=time.time(), step=step, lr=0.001 * factor, factor=factor)
            if isinstance(request, Stop | EndAfterEpoch):
                state = request.state if isinstance(request, Stop) else "finished"
                yield RunFinished(time=time.time(), step=step, state=state)
                return
            step += 1
            yield step_done(step, loss=3.0 / step + 1)
            if step == 3:
                yield evaluated(step, 1.5)
                yield sample_written(step, self.sample)
            time.sleep(0.002)  # the pace of the script, which nothing waits for
