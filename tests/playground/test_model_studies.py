"""What the models of a run do on its validation part, beside what the commands compute."""

from pathlib import Path

import numpy as np
import pytest

from charrnn_tui.analysis.gates import gate_shares
from charrnn_tui.analysis.memory import MemoryStudy
from charrnn_tui.analysis.reading import read_blocks
from charrnn_tui.checkpoint.checkpoint import Checkpoint, tensor_shapes
from charrnn_tui.playground.model_studies import study_gates, study_learning, study_memory
from charrnn_tui.playground.studied import StudiedRun
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.kept_checkpoints import kept_file
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.scoring import sequence_losses
from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.tui.inside.gate_lines import gate_lines
from tests.playground.run_with_text import keep_models, run_with_text, some_letters
from tests.playground.scripted_backend import ALPHABET, ScriptedBackend

HELD_OUT = some_letters()[2400:]


@pytest.fixture
def run(backend: ScriptedBackend, tmp_path: Path) -> RunDirectory:
    return keep_models(backend, run_with_text(backend, tmp_path / "letters.txt"), steps=(0, 3, 9))


def test_each_kept_model_reads_the_validation_part(backend: ScriptedBackend, run: RunDirectory) -> None:
    said: list[str] = []
    found = study_learning(run, backend, said.append)
    assert (found.text, found.steps) == (HELD_OUT, [0, 3, 9])
    for step, losses in zip(found.steps, found.losses, strict=True):
        checkpoint = backend.open_checkpoint(kept_file(run.path, step or 0))
        ids = checkpoint.vocabulary.encode(HELD_OUT)
        assert losses == pytest.approx(np.concatenate(list(sequence_losses(CharModel(checkpoint), ids))), abs=1e-5)
    assert said[0] == "reading the text"
    assert said[-1] == "reading 600 characters: model 3 of 3"


def test_a_model_that_is_thinned_out_meanwhile_is_left_out_and_a_damaged_one_is_named(
    backend: ScriptedBackend, run: RunDirectory
) -> None:
    gone = kept_file(run.path, 3)
    del backend.checkpoints[gone]
    with pytest.raises(ValueError, match="step-00000003"):
        study_learning(run, backend, lambda doing: None)
    assert study_learning(run, backend, lambda doing: gone.unlink(missing_ok=True)).steps == [0, 9]


def test_a_run_without_a_history_says_how_to_get_one(backend: ScriptedBackend, tmp_path: Path) -> None:
    run = run_with_text(backend, tmp_path / "letters.txt")
    with pytest.raises(ValueError, match="tiny-1 keeps no models of earlier steps: train with --keep-checkpoints"):
        study_learning(run, backend, lambda doing: None)
    for study in (study_memory, study_gates):
        with pytest.raises(ValueError, match="tiny-1 has saved no model yet"):
            study(StudiedRun(run, backend), lambda doing: None)


def test_memory_and_gates_are_those_of_the_best_model(backend: ScriptedBackend, run: RunDirectory) -> None:
    checkpoint = backend.open_checkpoint(run.best_file)
    model, ids = CharModel(checkpoint), checkpoint.vocabulary.encode(HELD_OUT)
    study = MemoryStudy(model, ids)
    list(study.run())
    said: list[str] = []
    memory = study_memory(StudiedRun(run, backend), said.append)
    assert memory.whole == pytest.approx(study.whole)
    assert memory.source == "600 characters of the validation part, model of step 9"
    assert [each.context for each in memory.contexts] == [each.context for each in study.losses]
    assert [each.difference for each in memory.contexts] == pytest.approx([each.difference for each in study.losses])
    assert said[-1] == "reading: 100%"
    gates = study_gates(StudiedRun(run, backend), said.append)
    assert gates.source == memory.source
    assert gates.shares == gate_shares(read_blocks(model, ids, gates=True))


def of_cell(cell: str) -> Checkpoint:
    random = np.random.default_rng(0)
    shapes = tensor_shapes(len(ALPHABET), 8, 1, cell)
    weights = {name: random.normal(0, 0.8, shape).astype(np.float32) for name, shape in shapes.items()}
    return Checkpoint(weights, Vocabulary(ALPHABET), 8, 1)


def test_the_gates_are_those_of_the_model_s_cell(backend: ScriptedBackend, run: RunDirectory) -> None:
    backend.checkpoints[run.best_file] = of_cell("gru")
    model = CharModel(of_cell("gru"))
    shares = study_gates(StudiedRun(run, backend), lambda doing: None).shares
    assert [each.gate for each in shares] == list(model.cell.gate_names)
    assert not any("forget" in line for line in gate_lines(study_gates(StudiedRun(run, backend), lambda doing: None)))
    backend.checkpoints[run.best_file] = of_cell("rnn")
    with pytest.raises(ValueError, match="tiny-1: its model is a plain RNN, which has no gates"):
        study_gates(StudiedRun(run, backend), lambda doing: None)


def test_a_model_that_diverged_is_named(backend: ScriptedBackend, run: RunDirectory) -> None:
    checkpoint = backend.checkpoints[run.best_file]
    weights = {name: np.full_like(tensor, np.nan) for name, tensor in checkpoint.weights.items()}
    checkpoint.weights.update(weights)  # type: ignore[attr-defined]  # a dictionary here
    with pytest.raises(ValueError, match=f"^{run.best_file}: "):
        study_memory(StudiedRun(run, backend), lambda doing: None)
