"""How long the threads of numerical libraries wait for each other; set before NumPy and torch are imported.

Variables that the user has set stay as they are.
"""

from collections.abc import MutableMapping


def limit_spinning(environment: MutableMapping[str, str]) -> None:
    """Let OpenMP's threads sleep after some hundred microseconds of waiting.

    They spin while one of them waits for a core that another program uses: a training step took forty times as long; it
    takes three times as long if they sleep.
    """
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", "10000")


def use_one_blas_thread(environment: MutableMapping[str, str]) -> None:
    """Compute NumPy's matrix products in one thread, as is best for sampling, which multiplies small matrices.

    A second BLAS thread that waits for a busy core makes it ten times slower. Scoring multiplies large ones. BLAS's
    threads spin for 2 ** 20 cycles.
    """
    environment.setdefault("OPENBLAS_DEFAULT_NUM_THREADS", "1")
    environment.setdefault("OPENBLAS_THREAD_TIMEOUT", "20")
