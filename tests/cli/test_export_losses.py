"""`charrnn-tui export` of a run's losses."""

import csv
import math
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tensorboardX.proto.event_pb2 import Event as TensorBoardEvent

from charrnn_tui.cli.loss_svg import loss_svg
from charrnn_tui.run.directory import EventWriter, RunDirectory
from charrnn_tui.run.events import Evaluated, RunFinished, RunStarted, StepDone
from charrnn_tui.run.progress import RunProgress
from tests.cli.conftest import Invoke, one_line

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def run(runs: Path) -> RunDirectory:
    """A run of 40 steps, validated at every tenth."""
    directory = RunDirectory.create(runs, "happy")
    writer = EventWriter(directory.events_file)
    writer.append(RunStarted(time=1000.0, run="happy-1", epochs=2, steps=40, steps_per_epoch=20))
    for number in range(1, 41):
        loss, time = 1 + 3 / number, 1000.0 + number
        speed = {"seconds": 0.25, "chars_per_second": 400.0, "train_seconds": number / 4}
        epoch = 1 + (number > 20)
        writer.append(StepDone(time=time, step=number, epoch=epoch, loss=loss, grad_norm=0.5, lr=0.01, **speed))
        if number % 10 == 0:
            losses = {"loss": loss, "val_loss": loss + 0.1, "best_val_loss": loss + 0.1, "best": True}
            batches = {"batch_size": 4, "seq_length": 10, "seconds": 1.0}
            writer.append(Evaluated(time=time, step=number, epoch=epoch, **losses, **batches))
    writer.append(RunFinished(time=1041.0, step=40, state="finished"))
    writer.close()
    return directory


def test_the_table_has_a_line_for_each_step(invoke: Invoke, run: RunDirectory, tmp_path: Path) -> None:
    result = invoke("export", "happy-1", tmp_path / "loss.csv")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "40 steps" in result.stderr
    rows = list(csv.DictReader((tmp_path / "loss.csv").read_text().splitlines()))
    assert len(rows) == 40
    expected = {"step": "10", "epoch": "1", "loss": "1.3", "val_loss": "1.4000000000000001", "lr": "0.01"}
    assert rows[9] == expected | {"grad_norm": "0.5", "chars_per_second": "400.0", "train_seconds": "2.5"}
    assert [row["val_loss"] != "" for row in rows].count(True) == 4


def scalars(directory: Path) -> Iterator[tuple[int, str, float, float]]:
    """(step, tag, value, time) of the one event file: records of a length, its checksum, the event, its checksum."""
    (file,) = directory.iterdir()
    assert file.name.startswith("events.out.tfevents.")
    data = file.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        event = TensorBoardEvent.FromString(data[12 : 12 + length])
        for value in event.summary.value:
            yield event.step, value.tag, value.simple_value, event.wall_time
        data = data[16 + length :]


def test_tensorboard_reads_the_losses_at_the_time_of_their_steps(
    invoke: Invoke, run: RunDirectory, tmp_path: Path
) -> None:
    result = invoke("export", "happy-1", f"{tmp_path / 'events'}/")
    assert (result.exit_code, result.stdout) == (0, "")
    found = list(scalars(tmp_path / "events"))
    assert [step for step, tag, *_ in found if tag == "loss/train"] == list(range(1, 41))
    assert [(step, round(value, 4)) for step, tag, value, _ in found if tag == "loss/val"] == [
        (10, 1.4),
        (20, 1.25),
        (30, 1.2),
        (40, 1.175),
    ]
    assert {tag for _, tag, *_ in found} == {"loss/train", "loss/val", "lr", "grad_norm", "chars_per_second", "epoch"}
    assert {time - step for step, _, _, time in found} == {1000.0}


def test_losses_that_are_no_numbers_are_exported_in_silence(invoke: Invoke, runs: Path, tmp_path: Path) -> None:
    writer = EventWriter(RunDirectory.create(runs, "nan").events_file)
    speed = {"seconds": 0.25, "chars_per_second": 400.0, "train_seconds": 1.0}
    writer.append(StepDone(time=1.0, step=1, epoch=1, loss=math.nan, grad_norm=math.inf, lr=0.01, **speed))
    writer.close()
    for out in ("loss.csv", "events/"):
        result = invoke("export", "nan-1", f"{tmp_path}/{out}")
        assert (result.exit_code, result.stderr.count("\n")) == (0, 1)
    assert "1,1,nan,,0.01,nan," in (tmp_path / "loss.csv").read_text()
    assert math.isnan(next(value for _, tag, value, _ in scalars(tmp_path / "events") if tag == "loss/train"))


def test_event_files_that_are_there_are_kept_unless_forced(invoke: Invoke, run: RunDirectory, tmp_path: Path) -> None:
    out = tmp_path / "events"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    assert invoke("export", "happy-1", out).exit_code == 0  # a directory with other files
    refused = invoke("export", "happy-1", out)
    assert (refused.exit_code, "--force" in one_line(refused)) == (1, True)
    assert invoke("export", "happy-1", out, "--force").exit_code == 0
    assert (out / "notes.txt").read_text() == "mine"
    assert len(list(out.iterdir())) == 2


def test_the_picture_names_its_curves_and_units(invoke: Invoke, run: RunDirectory, tmp_path: Path) -> None:
    assert invoke("export", "happy-1", tmp_path / "loss.svg").exit_code == 0
    picture = ElementTree.parse(tmp_path / "loss.svg").getroot()
    words = [text.text for text in picture.iter(f"{SVG}text")]
    assert "happy-1: loss by step" in words
    assert {"step", "loss (nats/char)", "loss (bits/char)", "train 1.075", "validation 1.175"} <= set(words)
    assert "★ best 1.1750 nats/char (1.695 bits/char) at step 40" in words
    (smoothed,) = [path for path in picture.iter(f"{SVG}path") if path.get("class") == "line smoothed"]
    assert smoothed.get("d", "").count("L") > 30
    assert len(list(picture.iter(f"{SVG}circle"))) == 3  # the best one is a star
    style = picture.findtext(f"{SVG}style") or ""
    assert "prefers-color-scheme: dark" in style


def test_the_picture_has_a_line_for_each_ngram_model_that_was_counted() -> None:
    progress = steps([2.0, 1.5, 1.2])
    names = {"1-gram": 1.9, "2-gram": 1.4, "3-gram": 1.399, "4-gram": 0.9}
    drawn = ElementTree.fromstring(loss_svg(progress, "a", names))
    words = [text.text for text in drawn.iter(f"{SVG}text")]
    assert [word for word in words if word and "gram" in word] == ["4-gram 0.900", "3-gram 1.399", "1-gram 1.900"]
    assert len([line for line in drawn.iter(f"{SVG}line") if line.get("class") == "baseline"]) == 3


def steps(losses: list[float]) -> RunProgress:
    progress = RunProgress()
    for number, loss in enumerate(losses, start=1):
        rates = {"lr": 0.1, "seconds": 1.0, "chars_per_second": 1.0, "train_seconds": float(number)}
        progress.add(StepDone(time=0.0, step=number, epoch=1, loss=loss, grad_norm=1.0, **rates))
    return progress


@pytest.mark.parametrize("losses", [[2.0], [2.0, math.nan, 3.0], [2.0] * 5000, [2.0, math.nan] * 4000])
def test_any_run_with_a_loss_has_a_picture(losses: list[float]) -> None:
    picture = loss_svg(steps(losses), "a&b <\x1b>")
    assert "\x1b" not in picture
    drawn = ElementTree.fromstring(picture)
    assert "a&b <␛>: loss by step" in [text.text for text in drawn.iter(f"{SVG}text")]
    assert not [part for part in drawn.iter() if "nan" in " ".join(part.attrib.values())]


@pytest.mark.parametrize("out", ["loss.csv", "loss.svg", "events/"])
def test_a_run_without_steps_and_a_model_have_no_losses(
    out: str, invoke: Invoke, runs: Path, checkpoint_file: Path, tmp_path: Path
) -> None:
    EventWriter(RunDirectory.create(runs, "happy").events_file).close()
    nothing = invoke("export", "happy-1", f"{tmp_path}/{out}")
    assert (nothing.exit_code, "happy-1: no step" in one_line(nothing)) == (1, True)
    model = invoke("export", checkpoint_file, f"{tmp_path}/{out}")
    assert (model.exit_code, "no such run" in one_line(model)) == (1, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.safetensors", "runs"]


@pytest.mark.parametrize("out", ["loss.csv", "loss.svg", "events/", "model.onnx"])
def test_a_place_that_cannot_be_written_is_named(
    out: str, invoke: Invoke, run: RunDirectory, checkpoint_file: Path, tmp_path: Path
) -> None:
    source = checkpoint_file if out == "model.onnx" else "happy-1"
    result = invoke("export", source, f"{tmp_path}/nowhere/{out}")
    assert result.exit_code == 1
    assert f"nowhere/{out.rstrip('/')}: cannot be written: No such file or directory" in one_line(result)


@pytest.mark.parametrize(
    ("package", "extra", "out"), [("onnx", "onnx", "m.onnx"), ("tensorboardX", "tensorboard", "e/")]
)
def test_a_package_that_is_missing_is_named_with_its_extra(
    package: str,
    extra: str,
    out: str,
    invoke: Invoke,
    run: RunDirectory,
    checkpoint_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    source = checkpoint_file if out == "m.onnx" else "happy-1"
    result = invoke("export", source, f"{tmp_path}/{out}")
    assert result.exit_code == 1
    assert f"needs the package {package}, which is not installed: pip install 'charrnn-tui[{extra}]'" in one_line(
        result
    )
    assert not (tmp_path / out).exists()
