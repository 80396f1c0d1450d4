"""What does not fit into memory is refused before anything is built."""

from dataclasses import replace

import pytest

from charrnn_tui.run.memory import check_memory, free_memory, training_bytes
from charrnn_tui.run.settings import SettingsError, TrainSettings

GB = 10**9


@pytest.mark.parametrize(("n_hidden", "n_layers"), [(16_384, 2), (9_000, 1), (4_096, 12)])
def test_the_largest_model_that_fits_is_named(n_hidden: int, n_layers: int) -> None:
    settings = TrainSettings(n_hidden=n_hidden, n_layers=n_layers)
    with pytest.raises(SettingsError, match=r"--n-hidden: .* GB of memory, of which 8 GB are free") as refused:
        check_memory(settings, 83, 8 * GB)
    largest = int(str(refused.value).rpartition(" ")[2].replace(",", ""))
    check_memory(replace(settings, n_hidden=largest), 83, 8 * GB)
    with pytest.raises(SettingsError):
        check_memory(replace(settings, n_hidden=largest + 1), 83, 8 * GB)


def test_a_batch_that_no_model_could_be_small_enough_for_is_to_blame_itself() -> None:
    with pytest.raises(SettingsError, match=r"--batch-size: 1,000,000 needs .* the largest that fits is"):
        check_memory(TrainSettings(batch_size=1_000_000), 83, 8 * GB)
    with pytest.raises(SettingsError, match="--seq-length: 1,000,000 needs more memory"):
        check_memory(TrainSettings(seq_length=1_000_000, n_hidden=16_384, n_layers=64), 10_000, GB)


def test_the_presets_fit_into_a_small_machine() -> None:
    check_memory(TrainSettings(), 200, GB)
    assert training_bytes(TrainSettings(), 83) < free_memory()
