"""The notebook's batches on the device: cut out of a text stored there, or copied one by one."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from charrnn_tui.text.batches import batch_count, get_batch
from charrnn_tui.text.long_text import chunks
from charrnn_tui.text.vocabulary import Ids


class Batches:
    """The windows of a text in the geometry of `text.batches`, counted from 0."""

    def __init__(self, ids: Ids, batch_size: int, seq_length: int, device: torch.device, *, resident: bool) -> None:
        """resident: store the text on the device now, all `resident_bytes`; else each window is copied when needed."""
        self._ids, self._batch_size, self._seq_length, self._device = ids, batch_size, seq_length, device
        self._count = batch_count(len(ids), batch_size, seq_length)
        self.resident = resident
        self._rows: Tensor | None = None  # (batch, windows * seq)
        if resident:
            used = ids[: self._count * batch_size * seq_length]
            self._rows = _on_device(used, device).view(batch_size, self._count * seq_length)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return (self[window] for window in range(self._count))

    def __getitem__(self, window: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets, each int64 (seq, batch) on the device; never waits for it if the text is stored there."""
        if self._rows is None:
            x, y = get_batch(self._ids, self._batch_size, self._seq_length, window)
            return self._copied(x), self._copied(y)
        rows, begin, end = self._rows, window * self._seq_length, (window + 1) * self._seq_length
        if end < rows.shape[1]:
            targets = rows[:, begin + 1 : end + 1]
        else:  # as in the notebook, the last target of a row is its first character
            targets = torch.cat((rows[:, begin + 1 :], rows[:, :1]), 1)
        return _transposed(rows[:, begin:end]), _transposed(targets)

    def _copied(self, ids: Ids) -> Tensor:
        tensor = torch.from_numpy(ids.T.astype(np.int64, order="C"))  # (seq, batch)
        if self._device.type == "cuda":
            tensor = tensor.pin_memory()  # without it the copy would wait for the device
        return tensor.to(self._device, non_blocking=True)


def resident_bytes(ids: Ids) -> int:
    """The memory of a text stored on the device."""
    return len(ids) * _resident_type(ids).itemsize


def _resident_type(ids: Ids) -> torch.dtype:
    return torch.uint8 if ids.dtype.itemsize == 1 else torch.int32  # which every device supports


def _on_device(ids: Ids, device: torch.device) -> Tensor:
    """All ids, shape (len(ids),); a mapped text is read in pieces."""
    there = torch.empty(len(ids), dtype=_resident_type(ids), device=device)
    begin = 0
    for chunk in chunks(ids):
        there[begin : begin + len(chunk)] = torch.from_numpy(chunk.astype(np.int64)).to(there.dtype)
        begin += len(chunk)
    return there


def _transposed(ids: Tensor) -> Tensor:
    """(batch, seq) as int64 (seq, batch)."""
    return ids.t().to(torch.int64, memory_format=torch.contiguous_format)
