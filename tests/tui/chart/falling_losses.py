"""The losses of a run as it should be."""

import numpy as np

from charrnn_tui.tui.chart.series import LossCurves


def falling(points: int = 2000) -> LossCurves:
    """4.3 to 1.3 nats/char, the raw losses 0.1 to either side; a validation every 100 steps, 0.1 above."""
    curves = LossCurves()
    steps = np.arange(1, points + 1)
    losses = 1.3 + 3 * np.exp(-steps / 300)
    curves.add_losses(steps, losses + 0.1 * (-1.0) ** steps)
    curves.validation.append(steps[99::100], losses[99::100] + 0.1)
    return curves
