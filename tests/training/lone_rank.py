"""The only rank of a training, for tests without other processes."""

from collections.abc import Sequence

from torch import Tensor

from charrnn_tui.text.vocabulary import Ids
from charrnn_tui.training.model import Hidden


class LoneRank:
    """As `Ranks` with one rank; has the commands that it was told to send."""

    rank, size, torn = 0, 1, False

    def __init__(self) -> None:
        self.sent: list[tuple[str, int, float]] = []

    def send(self, command: str, step: int = 0, lr: float = 0.0) -> None:
        self.sent.append((command, step, lr))

    def seed(self, seed: int, step: int) -> None:
        pass

    def average(self, values: Tensor) -> None:
        pass

    def share(self, tensors: Sequence[Tensor]) -> None:
        pass

    def own_rows(self, hidden: Hidden) -> Hidden:
        return hidden

    def all_rows(self, hidden: Hidden) -> Hidden:
        return hidden

    def send_text(self, ids: Ids, batch_size: int, seq_length: int) -> Ids:
        return ids
