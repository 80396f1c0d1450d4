"""The Python API: what a script may do with `import charrnn_tui`."""

import doctest
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import charrnn_tui
import charrnn_tui.api
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.sampling.settings import SamplingSettings
from tests.cli.conftest import Invoke, checkpoint_file, invoke, runs, some_text, text_file

__all__ = ["checkpoint_file", "invoke", "runs", "text_file"]  # fixtures

ROOT = Path(__file__).parents[1]
TINY: dict[str, Any] = {
    "n_hidden": 16,
    "n_layers": 1,
    "batch_size": 4,
    "seq_length": 10,
    "epochs": 1,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
    "sample_length": 5,
}

LAZY = """
import json, os, sys
import charrnn_tui as c
told = [sorted({name.partition(".")[0] for name in sys.modules})]
c.load(sys.argv[1]).sample("The", 5)
told += [sorted({name.partition(".")[0] for name in sys.modules}), os.environ["GOMP_SPINCOUNT"]]
print(json.dumps(told))
"""


@pytest.fixture(autouse=True)
def _in_a_directory_of_its_own(tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHARRNN_TUI_RUNS", str(runs))


def test_nothing_heavy_is_imported_before_it_is_used_and_no_torch_before_a_training(checkpoint_file: Path) -> None:
    others = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    command = [sys.executable, "-c", LAZY, str(checkpoint_file)]
    done = subprocess.run(command, env=others | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    imported, used, spins = json.loads(done.stdout)
    heavy = {"numpy", "torch", "safetensors", "msgspec", "click", "rich", "textual"}
    assert heavy.isdisjoint(imported)
    assert heavy & set(used) == {"numpy", "safetensors", "msgspec"}
    assert spins == "10000"


def test_the_examples_of_the_docstrings_are_true(tmp_path: Path) -> None:
    (tmp_path / "my.txt").write_text(some_text(2000), encoding="utf-8")
    result = doctest.testmod(charrnn_tui.api)
    assert (result.failed, result.attempted > 10) == (0, True)


def test_the_names_that_the_package_declares_are_there() -> None:
    assert set(charrnn_tui.__all__) <= set(dir(charrnn_tui))
    assert all(getattr(charrnn_tui, name) is not None for name in charrnn_tui.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        charrnn_tui.lode  # type: ignore[attr-defined]  # noqa: B018


def test_controls_are_those_of_the_command_line() -> None:
    assert list(charrnn_tui.api.Controls.__annotations__) == [field.name for field in fields(SamplingSettings)]


def test_settings_are_those_of_a_training_with_their_types() -> None:
    expected = get_type_hints(TrainSettings)
    del expected["preset"]  # an argument of its own
    del expected["alphabet"]  # that of init_from
    assert get_type_hints(charrnn_tui.api.Settings) == expected


def test_a_sample_is_what_the_command_prints(invoke: Invoke, checkpoint_file: Path) -> None:
    model = charrnn_tui.load(checkpoint_file)
    options = ("--prime", "happy ", "--length", 40, "--seed", 3, "--top-k", 5, "--temperature", 0.9)
    printed = invoke("sample", checkpoint_file, *options).stdout
    assert model.sample("happy ", 40, seed=3, top_k=5, temperature=0.9) == printed
    streamed = islice(model.stream("happy ", seed=3, top_k=5, temperature=0.9), 40)
    assert "happy " + "".join(streamed) == printed
    assert model.sample(length=40, seed=3) == invoke("sample", checkpoint_file, "--length", 40, "--seed", 3).stdout
    line = model.sample("happy", 400, seed=3, lines=2, until=["yes", "a;"])
    assert line == invoke("sample", checkpoint_file, "--prime", "happy", "--length", 400, "--seed", 3, "--lines", 2,
                          "--until", "yes", "--until", "a;").stdout  # fmt: skip


def test_a_score_is_that_of_the_command(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    score = charrnn_tui.load(checkpoint_file).score(text_file.read_text("utf-8"))
    told = json.loads(invoke("score", checkpoint_file, text_file, "--json").stdout)
    assert (score.loss, score.chars) == (told["loss"], told["chars"])
    assert (score.bits_per_char, score.perplexity) == (told["bits_per_char"], told["perplexity"])


def test_facts_are_those_of_the_command(invoke: Invoke, checkpoint_file: Path) -> None:
    model = charrnn_tui.load(str(checkpoint_file))
    assert model.facts == json.loads(invoke("info", checkpoint_file, "--json").stdout)
    assert model.parameters == model.facts["parameters"]


def test_a_distribution_has_the_candidates_and_adds_up_to_one(checkpoint_file: Path) -> None:
    model = charrnn_tui.load(checkpoint_file)
    whole, three = model.distribution("happy"), model.distribution("happy", top_k=3, temperature=0.5)
    assert set(whole) == set(model.vocabulary)
    assert list(three) == list(whole)[:3]
    assert list(whole.values()) == sorted(whole.values(), reverse=True)
    for one in (whole, three):
        assert sum(one.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda model: model.sample("Thé"), "the prime has characters .*'é'.*leave them out with unknown=\"skip\""),
        (lambda model: model.sample(temperature=-1), "temperature is -1"),
        (lambda model: model.sample(length=-1), "length is -1"),
        (lambda model: model.sample(seed=-1), "the seed is -1"),
        (lambda model: model.stream(until="é"), "until 'é' would never be written"),
        (lambda model: model.distribution(top_k=0), "top_k is 0"),
        (lambda model: model.distribution(ban="Ж"), "ban has characters not in the model's alphabet"),
        (lambda model: model.score("T"), "the text is too short"),
        (lambda model: model.save("x.txt"), "x.txt: the ending must be"),
        (lambda model: charrnn_tui.load("nothing"), "nothing: no such file, and no run of this name"),
        (lambda model: charrnn_tui.train("nothing.txt"), "nothing.txt: no such file"),
        (lambda model: charrnn_tui.train("happy.txt", n_hidden=0), "^n_hidden: 0 is not a whole number"),
        (lambda model: charrnn_tui.train([]), "corpus is empty"),
        (lambda model: charrnn_tui.train("happy.txt", preset="slow"), "^preset: 'slow' is not one of"),
    ],
)
def test_what_is_wrong_is_an_error_of_one_line(call: Any, words: str, checkpoint_file: Path, text_file: Path) -> None:
    with pytest.raises(charrnn_tui.Error, match=words) as raised:
        call(charrnn_tui.load(checkpoint_file))
    assert "\n" not in str(raised.value)
    assert "--" not in str(raised.value)


def test_a_setting_that_does_not_exist_is_a_type_error_that_names_the_nearest() -> None:
    with pytest.raises(TypeError, match="no setting 'n_hiden'; did you mean 'n_hidden'"):
        charrnn_tui.train("my.txt", n_hiden=3)


def test_a_model_is_saved_once_unless_forced(checkpoint_file: Path, tmp_path: Path) -> None:
    model = charrnn_tui.load(checkpoint_file)
    out = model.save(tmp_path / "copy.safetensors")
    assert charrnn_tui.load(out).sample(length=9, seed=0) == model.sample(length=9, seed=0)
    with pytest.raises(charrnn_tui.Error, match="exists already"):
        model.save(out)
    assert model.save(out, force=True) == out


def test_a_training_tells_its_events_and_leaves_a_run(text_file: Path, runs: Path) -> None:
    seen: list[charrnn_tui.events.Event] = []
    run = charrnn_tui.train(text_file, on_event=seen.append, max_steps=12, print_every=6, **TINY)
    assert isinstance(seen[0], charrnn_tui.events.RunStarted)
    assert isinstance(seen[-1], charrnn_tui.events.RunFinished)
    losses = [event.val_loss for event in seen if isinstance(event, charrnn_tui.events.Evaluated)]
    assert len(losses) == 2
    assert run.best_loss == min(losses)
    assert (run.name, run.directory, run.state) == ("happy-1", runs / "happy-1", "finished")
    assert [each.name for each in charrnn_tui.runs()] == ["happy-1"]
    assert run.load().facts["run"] == "happy-1"
    assert charrnn_tui.load("happy-1").sample(length=9, seed=0) == run.load().sample(length=9, seed=0)
    resumed = run.resume(max_steps=18)
    assert (resumed.facts["step"], resumed.state) == (18, "finished")
    with pytest.raises(TypeError, match="n_hidden"):
        run.resume(n_hidden=3)


def test_an_exception_of_on_event_saves_the_training_and_comes_out(text_file: Path) -> None:
    def fail(event: charrnn_tui.events.Event) -> None:
        if event.step == 5:
            raise OSError("mine")

    with pytest.raises(OSError, match="mine"):
        charrnn_tui.train(text_file, on_event=fail, **TINY)
    (run,) = charrnn_tui.runs()
    assert run.state == "interrupted"
    assert run.resume(max_steps=8).state == "finished"


def test_a_training_may_run_on_another_thread(text_file: Path) -> None:
    done: list[charrnn_tui.Run] = []
    thread = threading.Thread(target=lambda: done.append(charrnn_tui.train(text_file, max_steps=3, **TINY)))
    thread.start()
    thread.join()
    assert done[0].state == "finished"


CTRL_C = """
import os, signal, sys
import charrnn_tui as c
def press(event):
    if event.step == 5:
        os.kill(os.getpid(), signal.SIGINT)
try:
    c.train(sys.argv[1], on_event=press, n_hidden=16, n_layers=1, batch_size=4, seq_length=10, device="cpu", threads=1)
except KeyboardInterrupt:
    run = c.runs()[0]
    print(run.state, run.facts["step"], run.load().parameters > 0, run.resume(max_steps=7).state)
"""


def test_ctrl_c_saves_the_training_and_raises_keyboard_interrupt(text_file: Path, runs: Path) -> None:
    environment = os.environ | {"CHARRNN_TUI_RUNS": str(runs), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", CTRL_C, str(text_file)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted 5 True finished\n", "")


SCRIPT = """
import charrnn_tui as c

model: c.Model = c.load("anna")
text: str = model.sample(prime="Anna", length=200, top_k=5, temperature=0.8, seed=1)
first: list[str] = [character for character in model.stream("Anna", 10)]
likeliest: str = max(model.distribution("Ann"), key=model.distribution("Ann").__getitem__)
score: c.Score = model.score(text)
bits: float = score.bits_per_char

def show(event: c.events.Event) -> None:
    if isinstance(event, c.events.Evaluated):
        print(event.step, event.val_loss)

run: c.Run = c.train("my.txt", preset="quick", on_event=show, n_hidden=64)
best: float | None = run.best_loss
names: list[str] = [each.name for each in c.runs()]
"""


def test_a_script_s_types_are_checked(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(SCRIPT)
    (tmp_path / "bad.py").write_text(
        "import charrnn_tui as c\nc.load('anna').sample(topk=3)\nc.lode('anna')\nc.train('my.txt', n_hiden=3)\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(ROOT / ".mypy_cache")]
    checked = subprocess.run(
        [*command, str(tmp_path / "good.py"), str(tmp_path / "bad.py")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = checked.stdout.splitlines()
    assert [line for line in lines if "good.py" in line] == []
    assert len([line for line in lines if "bad.py" in line and "error" in line]) == 3, checked.stdout + checked.stderr
