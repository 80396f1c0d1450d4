"""How long threads wait for each other."""

import pytest

from charrnn_tui.native.thread_waiting import limit_spinning, use_one_blas_thread


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"GOMP_SPINCOUNT": "10000"}),
        ({"GOMP_SPINCOUNT": "7"}, {"GOMP_SPINCOUNT": "7"}),
        ({"OMP_WAIT_POLICY": "active"}, {"OMP_WAIT_POLICY": "active"}),
    ],
)
def test_threads_do_not_wait_at_any_price_unless_the_user_wants_it(
    given: dict[str, str], expected: dict[str, str]
) -> None:
    environment = dict(given)
    limit_spinning(environment)
    assert environment == expected


def test_the_variables_of_blas_that_the_user_has_set_stay() -> None:
    environment = {"OPENBLAS_THREAD_TIMEOUT": "26"}
    use_one_blas_thread(environment)
    assert environment == {"OPENBLAS_THREAD_TIMEOUT": "26", "OPENBLAS_DEFAULT_NUM_THREADS": "1"}
