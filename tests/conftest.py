"""One thread for each library's products, as the program itself has it: tests share their machine's cores.

Set before anything imports NumPy or torch, and inherited by the programs that tests start.
"""

import os

os.environ["CHARRNN_TUI_CONFIG"] = os.devnull  # not the settings of whoever runs the tests

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from hypothesis import HealthCheck, settings  # noqa: E402 - it may import NumPy, so after the lines above

# How long an example takes says something of the machine's other work, not of the code.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
