"""How fast a training computes beside the machine's limit."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MachineShare:
    """gflops: 10⁹ floating-point operations a second, in a training's matrix products.

    limit_gflops: the machine's limit, which a large matrix product reaches in the training's precision and threads.
    """

    gflops: float
    limit_gflops: float

    @property
    def share(self) -> float:
        """0.66 for 66 %; above 1 if the limit was measured beside other load."""
        return self.gflops / self.limit_gflops

    def to_json(self) -> dict[str, Any]:
        """The keys that commands share; `limit_share` is a fraction."""
        gflops, share = round(self.gflops, 3), round(self.share, 4)
        return {"gflops": gflops, "limit_gflops": self.limit_gflops, "limit_share": share}

    @property
    def short(self) -> str:
        """`105 GFLOP/s, 66 % of limit`."""
        return f"{_figure(self.gflops)} GFLOP/s, {100 * self.share:.0f} % of limit"

    @property
    def text(self) -> str:
        """`105 GFLOP/s, 66 % of the machine's limit of 159`."""
        limit = f"the machine's limit of {_figure(self.limit_gflops)}"
        return f"{_figure(self.gflops)} GFLOP/s, {100 * self.share:.0f} % of {limit}"


def machine_share(chars_per_second: float, flops_per_char: int, limit_gflops: float) -> MachineShare | None:
    """None if the operations or the limit are unknown: 0."""
    if flops_per_char <= 0 or limit_gflops <= 0:
        return None
    return MachineShare(1e-9 * flops_per_char * chars_per_second, limit_gflops)


def _figure(gflops: float) -> str:
    return f"{gflops:,.0f}" if gflops >= 99.5 else f"{gflops:.3g}"
