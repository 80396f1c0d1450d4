"""The pictures of the README and the guide, from the app itself: python docs/pictures.py RUN

RUN: the directory of a finished run that has kept checkpoints. Look at the pictures before they are committed.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.runner.find_model import shipped_checkpoint
from charrnn_tui.runner.local_backend import LocalBackend
from charrnn_tui.tui.app import StudioApp
from charrnn_tui.tui.opening import Opening

SIZE = 120, 37  # columns and rows
HERE = Path(__file__).parent
SHIPPED = Opening(checkpoint=shipped_checkpoint())


async def picture(name: str, opening: Opening, runs: Path, keys: list[str], shown: str) -> None:
    """Open the app, press keys, wait until it shows this text, and a second longer, and save the screen."""
    app = StudioApp(LocalBackend(runs), opening)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(10)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.2)
        for _ in range(600):
            if shown in "\n".join(strip.text for strip in app.screen._compositor.render_strips()):
                break
            await pilot.pause(0.1)
        else:
            raise SystemExit(f"{name}: the app never showed {shown!r}")
        await pilot.pause(1)
        app.save_screenshot(f"{name}.svg", str(HERE))


async def main(run: RunDirectory) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        runs = Path(scratch)
        await picture("play", SHIPPED, runs, [], "1,2")
        await picture("inspector", SHIPPED, runs, ["g", "i", *["left"] * 20], "rank")
    await picture("train", Opening(run=run), run.path.parent, ["1"], "finished")
    compared = Opening(checkpoint=run.checkpoint_file())
    await picture("side-by-side", compared, run.path.parent, ["vertical_line", *["comma"] * 12], "in common")


if __name__ == "__main__":
    asyncio.run(main(RunDirectory(Path(sys.argv[1]))))
