"""Make every picture of the README and the guide from the app itself: `make pictures`. Look at them before a commit.

A small model is trained for them first, in some twenty seconds on two idle cores.
"""

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot
from textual.widget import Widget

import charrnn_tui
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.runner.find_model import locate_checkpoint
from charrnn_tui.runner.local_backend import LocalBackend
from charrnn_tui.text.demo import DEMO, text_path
from charrnn_tui.tui.app import StudioApp
from charrnn_tui.tui.chart.loss_chart import LossChart
from charrnn_tui.tui.opening import Opening
from charrnn_tui.tui.play.controls_panel import ControlsPanel
from charrnn_tui.tui.play.inspector import Inspector
from docs.frames import Frame, svg

HERE = Path(__file__).parent
SIZE = 120, 37  # columns and rows
ANIMATED_SIZE = 100, 26
FRAME_SECONDS = 0.3
TITLE = "charrnn-tui"
TRAINED_ON = 200_000  # characters of the demo text
PATIENCE_SECONDS = 60

Shown = Callable[[StudioApp], bool]


class Studio:
    """The app without a terminal, its keys and its cells."""

    def __init__(self, app: StudioApp, pilot: Pilot[int]) -> None:
        self.app, self._pilot = app, pilot

    async def press(self, *keys: str, pause: float = 0.2) -> None:
        """Press keys, with so many seconds behind each."""
        for key in keys:
            await self._pilot.press(key)
            await self._pilot.pause(pause)

    async def wait_for(self, words: str) -> None:
        """Wait until the screen shows the words, and a moment longer."""
        for _ in range(10 * PATIENCE_SECONDS):
            if words in self.text:
                await self._pilot.pause(0.5)
                return
            await self._pilot.pause(0.1)
        raise SystemExit(f"the app never showed {words!r}:\n{self.text}")

    async def write(self, length: int) -> None:
        """Let the playground write a text of this length at once, and wait for it."""
        await self.wait_for(" chars · ")
        playground = self.app.play.playground
        playground.change(replace(playground.settings, speed=None, length=length))
        playground.start_over()
        await self.wait_for("page full")

    async def pause(self, seconds: float) -> None:
        await self._pilot.pause(seconds)

    @property
    def text(self) -> str:
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    def frame(self, seconds: float = 1.0, part: Widget | None = None) -> Frame:
        """The screen as it is now, or the cells of one widget."""
        strips = self.app.screen._compositor.render_strips()
        if part is not None:
            left, top, width, height = part.region
            strips = [strip.crop(left, left + width) for strip in strips[top : top + height]]
        return Frame(tuple(tuple(strip) for strip in strips), seconds)


@asynccontextmanager
async def studio(opening: Opening, runs: Path, size: tuple[int, int] = SIZE) -> AsyncIterator[Studio]:
    app = StudioApp(LocalBackend(runs), opening)
    async with app.run_test(size=size) as pilot:
        yield Studio(app, pilot)


def save(name: str, frames: Sequence[Frame], description: str, title: str = TITLE) -> None:
    """Write docs/NAME.svg."""
    drawn = svg(frames, title, description)
    (HERE / f"{name}.svg").write_text(drawn, encoding="utf-8")
    print(f"docs/{name}.svg  {len(drawn) / 1000:.0f} kB  {description}")


async def playground(opening: Opening, runs: Path) -> None:
    async with studio(opening, runs) as studio_:
        await studio_.wait_for("1,2")
        save("play", [studio_.frame()], "The playground: text, controls, the probabilities of the next character")
    async with studio(opening, runs) as studio_:
        await studio_.write(1000)
        await studio_.press("i", *["left"] * 20)
        await studio_.wait_for("rank")
        save("inspector", [studio_.frame()], "The inspector: the whole distribution behind one character")


async def lenses(opening: Opening, runs: Path) -> None:
    async with studio(opening, runs) as studio_:
        await studio_.write(1000)
        await studio_.press("l")
        await studio_.press(*["down"] * 5, "enter")
        await studio_.press("f", *"2.280", "enter")
        await studio_.wait_for("2.280:")
        save("unit-lens", [studio_.frame()], "The unit lens: the text coloured by the activation of unit 2.280")


async def distributions(opening: Opening, runs: Path) -> None:
    """One character's distribution under several settings."""
    async with studio(opening, runs, (120, 21)) as studio_:
        await studio_.write(400)
        await studio_.press("i", *["left"] * 20)
        await studio_.wait_for("rank")
        inspector, controls = studio_.app.screen.query_one(Inspector), studio_.app.screen.query_one(ControlsPanel)
        controls.focus()
        for name, keys in {
            "top-k 5, temperature 0.8": (),
            "top-k 2, temperature 0.8": ("enter", "2", "enter"),
            "top-k off, temperature 1.5": ("enter", *"off", "enter", "down", "enter", *"1.5", "enter"),
        }.items():
            await studio_.press(*keys)
            await studio_.pause(0.5)
            file = "distribution-" + re.sub(r"\W+", "-", name)
            save(file, [studio_.frame(part=inspector)], f"The distribution of one character under {name}", name)


async def training(run: RunDirectory) -> None:
    async with studio(Opening(run=run), run.path.parent) as studio_:
        await studio_.press("1")
        await studio_.wait_for("finished")
        save("train", [studio_.frame()], "A training: loss chart, progress, samples")
        chart = studio_.app.screen.query_one(LossChart)
        save("loss", [studio_.frame(part=chart)], "The loss chart: training loss, smoothed loss, validation loss")
        await studio_.press("i", "enter")
        await studio_.wait_for("(the lowest)")
        await studio_.press("escape", "escape")
        await studio_.wait_for("passes the")
        save(
            "ngrams", [studio_.frame(part=chart)], "The loss chart with n-gram models, and where the model passes them"
        )
        await studio_.press("i", "down", "enter")
        await studio_.wait_for("nats and more")
        save(
            "learned",
            [studio_.frame()],
            "How a model learned: each row is the model of a step, dark where it is surprised",
        )
    async with studio(Opening(checkpoint=run.checkpoint_file()), run.path.parent) as studio_:
        await studio_.wait_for(" chars · ")
        await studio_.press("vertical_line", *["comma"] * 12)
        await studio_.wait_for("in common")
        save("side-by-side", [studio_.frame()], "Two models side by side, from the same prime and seed")


async def animation(opening: Opening, runs: Path) -> None:
    """The playground: it writes, a control changes, a character is inspected and another one put in its place."""
    frames: list[Frame] = []
    async with studio(opening, runs, ANIMATED_SIZE) as studio_:

        async def record(count: int, *keys: str, seconds: float = FRAME_SECONDS) -> None:
            for number in range(count):
                if number < len(keys):
                    await studio_.press(keys[number], pause=0.05)
                await studio_.pause(FRAME_SECONDS)
                frames.append(studio_.frame(seconds))

        await studio_.wait_for(" chars · ")
        await record(10)
        await record(8, "down", *["right"] * 6)
        await record(6)
        await record(1, "g", seconds=0.8)
        await record(10, "i", *["left"] * 9, seconds=0.4)
        await record(1, seconds=1.6)
        await record(3, "enter", "down", "down", seconds=0.9)
        await record(14, "enter")
        frames.append(studio_.frame(2.0))
    save("playing", frames, "The playground writes; the temperature rises; one character is inspected and replaced")


async def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["CHARRNN_TUI_RUNS"] = scratch
        runs, text = Path(scratch, "runs"), Path(scratch, "python.txt")
        text.write_text(Path(text_path(DEMO)).read_text("utf-8")[:TRAINED_ON], encoding="utf-8")
        run = charrnn_tui.train(text, n_hidden=128, n_layers=1, epochs=3, seed=0, runs_dir=runs)
        shipped = Opening(checkpoint=locate_checkpoint("anna", runs))
        await playground(shipped, Path(scratch, "none"))
        await lenses(shipped, Path(scratch, "none"))
        await distributions(shipped, Path(scratch, "none"))
        await animation(shipped, Path(scratch, "none"))
        await training(RunDirectory(run.directory))


if __name__ == "__main__":
    asyncio.run(main())
