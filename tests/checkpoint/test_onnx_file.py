"""Models as ONNX, run by onnxruntime beside our own network."""

import json
from typing import Any

import numpy as np
import onnxruntime
import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.checkpoint.onnx_file import onnx_model
from charrnn_tui.runner.find_model import open_checkpoint, shipped_checkpoint
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.distribution import log_probabilities
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import random_checkpoint

ALPHABET = Vocabulary("The \n‘é’")


class Exported:
    """An .onnx file as another program runs it."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(onnx_model(checkpoint), options, providers=["CPUExecutionProvider"])
        self.shape = checkpoint.n_layers, checkpoint.n_hidden

    def start(self, batch: int) -> list[Any]:
        n_layers, n_hidden = self.shape
        return [np.zeros((n_layers, batch, n_hidden), np.float32)] * 2

    def run(self, ids: Any, state: list[Any]) -> tuple[Any, list[Any]]:
        h, c = state
        logits, *after = self.session.run(["logits", "h_out", "c_out"], {"ids": ids, "h": h, "c": c})
        return logits, after


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_logits_and_states_are_ours_for_any_batch_and_sequence(n_layers: int) -> None:
    checkpoint = random_checkpoint(ALPHABET, n_layers=n_layers)
    exported, model = Exported(checkpoint), CharModel(checkpoint)
    random = np.random.default_rng(0)
    for batch, pieces in ((1, (1, 1)), (3, (7, 2))):
        theirs, ours = exported.start(batch), model.initial_state(batch)
        for length in pieces:
            ids = random.integers(len(ALPHABET), size=(batch, length))
            logits, theirs = exported.run(ids, theirs)
            ((expected, ours),) = model.forward(ids, ours)
            np.testing.assert_allclose(logits, expected, atol=1e-5)
            np.testing.assert_allclose(theirs[0], ours.h, atol=1e-5)
            np.testing.assert_allclose(theirs[1], ours.c, atol=1e-5)


def test_it_writes_the_text_that_our_sampler_writes() -> None:
    checkpoint = random_checkpoint(ALPHABET, seed=3)
    exported, greedy = Exported(checkpoint), SamplingSettings(temperature=0)
    sampler = Sampler(CharModel(checkpoint), ALPHABET, greedy, seed=0, prime="The")
    expected = [next(sampler).token_id for _ in range(30)]
    logits, state = exported.run(ALPHABET.encode("The").astype(np.int64)[np.newaxis], exported.start(1))
    written: list[int] = []
    while len(written) < 30:
        written.append(int(logits[0, -1].argmax()))
        logits, state = exported.run(np.array([[written[-1]]]), state)
    assert written == expected


def test_the_shipped_model_predicts_the_same_within_the_rounding_of_our_weights() -> None:
    path = shipped_checkpoint()
    assert path is not None
    checkpoint = open_checkpoint(path)
    ids = checkpoint.vocabulary.encode("Happy families are all alike; every unhappy").astype(np.int64)
    exported, model = Exported(checkpoint), CharModel(checkpoint)
    logits, _ = exported.run(ids[np.newaxis], exported.start(1))
    ((expected, _),) = model.forward(ids)
    theirs, ours = np.exp(log_probabilities(logits[0])), np.exp(log_probabilities(expected))
    assert np.abs(theirs - ours).sum(axis=-1).max() / 2 < 2e-3


def test_the_alphabet_and_the_facts_are_in_the_metadata() -> None:
    exported = Exported(random_checkpoint(ALPHABET))
    metadata = exported.session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["tokens"]) == list(ALPHABET.tokens)
    assert (json.loads(metadata["n_hidden"]), json.loads(metadata["val_loss"])) == (16, 1.5)


def test_half_and_double_precision_become_single() -> None:
    checkpoint = random_checkpoint(ALPHABET)
    for dtype in (np.float16, np.float64):
        weights = {name: tensor.astype(dtype) for name, tensor in checkpoint.weights.items()}
        same = Checkpoint(weights, ALPHABET, checkpoint.n_hidden, checkpoint.n_layers)
        exported = Exported(same)
        logits, _ = exported.run(np.array([[0, 1]]), exported.start(1))
        ((expected, _),) = CharModel(same).forward(np.array([[0, 1]]))
        np.testing.assert_allclose(logits, expected, atol=1e-5)
