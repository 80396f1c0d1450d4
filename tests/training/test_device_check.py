"""The check that an accelerator computes what the CPU does, tried on the CPU with layers that are wrong."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it

from charrnn_tui.run.settings import SettingsError
from charrnn_tui.training import devices
from charrnn_tui.training.device_check import disagreement
from charrnn_tui.training.model import CharRNN, Layers
from tests.training.small_trainings import small_settings

CPU = torch.device("cpu")


class OnDevice(CharRNN):
    """A model of the check's sizes whose layers are PyTorch's, as on an accelerator."""

    def __init__(self) -> None:
        super().__init__(11, 24, 2, 0.4, 0.4)
        self.forced_layers = Layers.PYTORCH


class OtherOutput(OnDevice):
    def run_layer(self, *given: Any) -> Any:
        output, state = super().run_layer(*given)
        return output * 1.01, state


class OtherGradient(OnDevice):
    """The output is right; its gradient is that of a layer which reads half of its input."""

    def run_layer(self, *given: Any) -> Any:
        output, state = super().run_layer(*given)
        half = output / 2
        return half + (output - half).detach(), state


class OtherState(OnDevice):
    def run_layer(self, *given: Any) -> Any:
        output, (h, c) = super().run_layer(*given)
        return output, (h, c + 0.01)


class DropsInEvaluation(OnDevice):
    def run_layer(self, *given: Any) -> Any:
        output, state = super().run_layer(*given)
        return output if self.training else F.dropout(output, 0.4), state


class DropsByItself(OnDevice):
    """Dropout within the layer, besides the one that is asked for."""

    def run_layer(self, *given: Any) -> Any:
        output, state = super().run_layer(*given)
        return F.dropout(output, 0.4, self.training), state


class NotANumber(OnDevice):
    def run_layer(self, *given: Any) -> Any:
        output, state = super().run_layer(*given)
        return output * torch.nan, state


class NotImplementedThere(OnDevice):
    def run_layer(self, *given: Any) -> Any:
        raise NotImplementedError("aten::lstm is not implemented for this device\nand more")


def test_pytorch_s_layers_agree_on_the_cpu() -> None:
    assert disagreement(CPU, OnDevice()) == ""


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (OtherOutput, "the gradient of lstm."),
        (OtherGradient, "the gradient of lstm.weight_ih_l0 in step 1 differs by"),
        (OtherState, "the hidden state c after step 1 differs by"),
        (DropsInEvaluation, "the logits in evaluation differs by"),
        (DropsByItself, "the loss of step 1 differs by"),
        (NotANumber, "the loss of step 1 differs by nan"),
        (NotImplementedThere, "aten::lstm is not implemented for this device"),
    ],
)
def test_a_wrong_layer_is_found_and_named(model: type[CharRNN], words: str) -> None:
    assert disagreement(CPU, model()).startswith(words)


def test_the_check_leaves_the_random_numbers_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    disagreement(CPU)
    assert torch.rand(1) == expected


@pytest.fixture
def wrong_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine has an Apple GPU, whose layers are wrong."""
    monkeypatch.setattr(devices, "available_devices", lambda: ["mps", "cpu"])
    monkeypatch.setattr(devices, "wrong_numbers", lambda device: "a loss differs" if device == "mps" else "")


@pytest.mark.usefixtures("wrong_accelerator")
def test_a_device_that_computes_otherwise_is_not_chosen_and_refused_where_asked_for() -> None:
    assert devices.place(small_settings(device="auto"), 5).device == "cpu"
    with pytest.raises(SettingsError, match=r"--device: mps does not compute what the CPU does \(a loss differs\)"):
        devices.place(small_settings(device="mps"), 5)
    assert devices.device_reports() == ["cpu", "mps (Apple GPU; not used: a loss differs)"]
