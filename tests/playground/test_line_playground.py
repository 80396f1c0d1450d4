"""The playground by lines: the same texts as on the screen, explained in words."""

from collections.abc import Callable
from pathlib import Path

import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint, CheckpointError
from charrnn_tui.playground.controls import CONTROLS, REPLAY
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.line_playground import (
    LinePlayground,
    WrongCommand,
    name_of,
    percent,
    spoken,
    typed_character,
)
from charrnn_tui.playground.models import ModelSource, source_of
from charrnn_tui.playground.playground import Playground
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.distribution import Distribution
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint


class Reader:
    """Types lines, and keeps what is answered."""

    def __init__(self, backend: ScriptedBackend) -> None:
        seeds = iter(range(99, 200))
        playground = Playground(backend, lambda: None, Jobs(), new_seed=lambda: next(seeds))
        self.written, self.said = "", list[str]()
        self.on_write: Callable[[], object] = lambda: None

        def find(name: str) -> ModelSource:
            if name == "nowhere":
                raise CheckpointError("nowhere: no such file")
            return source_of(name, backend)

        self.lines = LinePlayground(playground, find, self._write, self.said.append)
        self.playground = playground
        self.lines.open(None)
        self.answer(":speed unlimited", ":length 30")

    def _write(self, text: str) -> None:
        self.written += text
        self.on_write()

    def answer(self, *typed: str) -> str:
        """What is written in answer to the last of these lines."""
        for line in typed:
            self.written = ""
            self.lines.perform(line)
        return self.written


@pytest.fixture
def reader(backend: ScriptedBackend, shipped: Checkpoint) -> Reader:
    return Reader(backend)


def sampled(checkpoint: Checkpoint, prime: str, count: int, seed: int = 42, **controls: float) -> str:
    settings = SamplingSettings(**({"temperature": 0.8, "top_k": 5} | controls))
    sampler = Sampler(CharModel(checkpoint), checkpoint.vocabulary, settings, seed=seed, prime=prime)
    return prime + "".join(next(sampler).character for _ in range(count))


def test_nothing_is_written_before_a_line_is_typed(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    reader = Reader(backend)
    assert reader.playground.writer.count == 0
    assert reader.said[0] == "model: tiny (shipped) 2×8 · val 1.284 nats/char"


def test_a_line_is_a_prime_and_writes_what_the_sampler_writes(reader: Reader, shipped: Checkpoint) -> None:
    text = sampled(shipped, "bad", 30)
    assert reader.answer("bad") == (text if text.endswith("\n") else text + "\n")
    assert reader.said[-1].startswith("30 chars · ")
    assert " nats/char (" in reader.said[-1]
    assert reader.said[-1].endswith(" · seed 42")


def test_go_and_an_empty_line_write_on_where_the_text_ended(reader: Reader, shipped: Checkpoint) -> None:
    reader.answer("bad")
    first, second = reader.answer(":go"), reader.answer("")
    assert reader.playground.text == sampled(shipped, "bad", 90)
    assert len(first) in (30, 31)
    assert reader.playground.text.endswith(second.removesuffix("\n"))


def test_settings_act_on_the_next_character_and_a_seed_starts_over(reader: Reader, shipped: Checkpoint) -> None:
    reader.answer("bad")
    assert reader.answer(":top-k 1") == ""
    assert reader.said[-1] == "top-k 1"
    assert reader.playground.writer.generated is not None
    assert reader.playground.writer.count == 30
    reader.answer(":go")
    assert reader.playground.writer.generated.settings_at(30).top_k == 1
    assert reader.answer(":seed 7").rstrip("\n") == sampled(shipped, "bad", 30, seed=7, top_k=1).rstrip("\n")
    assert reader.answer(":top-k") == "top-k 1\n"


def test_a_longer_length_writes_nothing_by_itself(reader: Reader) -> None:
    reader.answer("bad")
    assert reader.answer(":length 60") == ""
    assert reader.playground.writer.count == 30
    reader.answer(":go")
    assert reader.playground.writer.count == 60


def test_reroll_takes_a_new_seed_and_replay_keeps_it(reader: Reader, shipped: Checkpoint) -> None:
    first = reader.answer("bad")
    rerolled = reader.answer(":reroll")
    assert rerolled.rstrip("\n") == sampled(shipped, "bad", 30, seed=99).rstrip("\n")
    assert rerolled != first
    assert reader.answer(":replay") == rerolled
    assert reader.answer(":top-k 1", ":replay").rstrip("\n") == sampled(shipped, "bad", 30, seed=99, top_k=1).rstrip(
        "\n"
    )


def test_why_says_rank_probability_and_alternatives_of_a_character(reader: Reader, shipped: Checkpoint) -> None:
    reader.answer("bad")
    text, vocabulary = reader.playground.text, shipped.vocabulary
    sampler = Sampler(CharModel(shipped), vocabulary, SamplingSettings(0.8, 5), seed=0, prime=text[: 3 + 11])
    expected = Distribution(sampler.logits, SamplingSettings(0.8, 5))
    found = expected.statistics(vocabulary.index[text[14]])
    answer = reader.answer(":why 12").splitlines()
    assert answer[0] == f"character 12: {spoken(text[14])}, after {text[:14]!r}"
    assert answer[1] == f"rank {found.rank} of 10"
    assert answer[2] == (
        f"probability {percent(found.probability)}, with the settings {percent(found.chosen_probability)}"
    )
    assert answer[3].startswith("surprise ")
    assert answer[4].startswith("entropy ")
    assert answer[5:7] == ["the settings allow 5 of 10 characters", "likeliest others:"]
    likeliest = next(int(token) for token in expected.order if vocabulary.tokens[token] != text[14])
    before = percent(expected.before_at(expected.place_of(likeliest)))
    assert answer[7].startswith(f"{spoken(vocabulary.tokens[likeliest])} {before}, with the settings ")
    assert answer[-1].endswith(", excluded by the settings")  # the sixth of six, under top-k 5
    assert len(answer) == 7 + 5
    assert reader.answer(":why") == reader.answer(":why 30")


def test_fork_puts_another_character_there_and_writes_on(reader: Reader) -> None:
    before = reader.answer("bad")
    other = "g" if before[3 + 11] != "g" else "h"
    forked = reader.answer(f":fork 12 {other}")
    assert forked.startswith(before[: 3 + 11] + other)
    assert reader.playground.writer.count == 12 + 30
    assert reader.answer(":why 12").startswith(f"character 12: '{other}', chosen by a fork, after ")
    assert reader.answer(":fork 5 newline")[: 3 + 5] == before[: 3 + 4] + "\n"


def test_a_prime_may_have_line_breaks_and_begin_with_a_colon(reader: Reader) -> None:
    assert reader.answer(r":prime a\nb").startswith("a\nb")
    reader.answer(":prime :b")
    assert reader.said[-2].startswith("left out: not in the model's alphabet: ':' (U+003A)")
    assert reader.playground.text.startswith("b")


def test_a_model_is_opened_by_name_and_writes_when_asked(reader: Reader, backend: ScriptedBackend) -> None:
    other = tiny_checkpoint(seed=5)
    backend.add_run("other-1", other)
    reader.answer("bad")
    assert reader.answer(":model other-1") == ""
    assert reader.said[-1] == "model: other-1 · best 2×8"
    assert reader.answer(":go").rstrip("\n") == sampled(other, "bad", 30).rstrip("\n")


def test_a_model_that_is_not_there_changes_nothing(reader: Reader) -> None:
    text = reader.answer("bad")
    with pytest.raises(ValueError, match="nowhere: no such file"):
        reader.answer(":model nowhere")
    assert reader.answer(":text") == text
    assert reader.answer(":replay") == text


def test_a_text_is_saved_character_for_character_and_never_over_another_file(reader: Reader, tmp_path: Path) -> None:
    reader.answer("bad")
    reader.answer(f":save {tmp_path / 'a text.txt'}")
    assert (tmp_path / "a text.txt").read_text("utf-8") == reader.playground.text
    with pytest.raises(ValueError, match="exists already"):
        reader.answer(f":save {tmp_path / 'a text.txt'}")
    reader.answer(f":save {tmp_path / 'a.json'}")
    assert '"likeliest"' in (tmp_path / "a.json").read_text("utf-8")


def test_settings_and_help_name_every_control(reader: Reader) -> None:
    settings, help_text = reader.answer(":settings"), reader.answer(":help")
    for control in CONTROLS:
        if control is not REPLAY:
            assert f"\n{name_of(control)} " in settings
            assert f"\n:{name_of(control)} [VALUE] – " in help_text
    assert "\ntemperature 0.80\n" in settings
    assert set(reader.lines.commands) == {line[1:].split()[0] for line in help_text.splitlines()[1:]}


def test_a_stopped_text_says_how_to_go_on(reader: Reader) -> None:
    reader.on_write = lambda: reader.lines.stop()
    reader.answer(":length no limit", "bad")
    assert reader.said[-1].startswith("stopped, :go writes on · ")
    assert not reader.playground.writer.writing


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (":bogus", r":bogus: no such command; :help"),
        (":repaly", r"did you mean :replay\?"),
        (":top-k lots", "top-k: a whole number from 1 up, or off"),
        (":why 31", r"'31' is not the number of a character: 1 to 30"),
        (":why x", r"'x' is not the number"),
        (":fork 3", ":fork needs a number and a character"),
        (":fork 3 xy", "'xy' is not one character"),
        (":reroll 3", ":reroll takes no argument"),
        (":save", ":save needs the name of a file"),
        (":model", ":model needs a name"),
    ],
)
def test_a_wrong_line_is_refused_in_one_line_and_changes_nothing(reader: Reader, line: str, message: str) -> None:
    text = reader.answer("bad")
    with pytest.raises(WrongCommand, match=message) as refused:
        reader.answer(line)
    assert "\n" not in str(refused.value)
    assert reader.answer(":text") == text


def test_a_character_outside_the_alphabet_is_refused_by_fork(reader: Reader) -> None:
    reader.answer("bad")
    with pytest.raises(ValueError, match="'z' is not in the model's alphabet"):
        reader.answer(":fork 3 z")


def test_without_a_text_why_says_what_to_do(reader: Reader) -> None:
    with pytest.raises(ValueError, match="there is no text yet: type a beginning"):
        reader.answer(":why 1")


@pytest.mark.parametrize("character", ["a", " ", "\n", "\t", "\x1b", ".", "é"])
def test_what_is_spoken_can_be_typed(character: str) -> None:
    word = spoken(character)
    assert word.isprintable()
    assert typed_character(word.partition(" (")[0].strip("'") if word.startswith("'") else word) == character


def test_probabilities_keep_two_digits() -> None:
    assert [percent(share) for share in (1, 0.412, 0.0999, 0.032, 0.0005, 1e-7, 0)] == [
        "100 %",
        "41 %",
        "10 %",
        "3.2 %",
        "0.05 %",
        "less than 0.01 %",
        "0 %",
    ]


def test_a_ban_and_a_stop_are_commands_and_what_the_model_cannot_follow_is_refused(
    reader: Reader, shipped: Checkpoint
) -> None:
    reader.answer("bad")
    stop = reader.playground.writer.text[-1]
    with pytest.raises(WrongCommand, match="ban has characters not in the model's alphabet: 'Ж'"):
        reader.answer(":ban Ж")
    reader.answer(r":ban \n", f':stop "{stop}"')
    assert reader.said[-2:] == [r'ban "\n"', f'stop "{stop}"']
    first, second = reader.answer(":replay"), reader.answer(":go")
    assert "\n" not in reader.playground.writer.text
    assert first.endswith(f"{stop}\n")
    assert first.count(stop) == 1 + "bad".count(stop)
    assert second == "\n" or second.rstrip("\n").endswith(stop)
