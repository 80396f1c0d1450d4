"""The playground line by line: a line is a prime or a command, the answer is text. For pipes and screen readers."""

import difflib
import os
import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from charrnn_tui.playground.controls import CONTROLS, REPLAY, PlayControl
from charrnn_tui.playground.models import ModelSource
from charrnn_tui.playground.playground import NO_TEXT, ModelChanged, Playground, State, TextShown
from charrnn_tui.playground.text_export import as_bytes, with_probabilities
from charrnn_tui.run.files import write_atomically
from charrnn_tui.run.quantities import nats, per_char
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.text.vocabulary import UnknownCharacters, Vocabulary

SLICE_SECONDS: Final = 0.05  # of writing between two looks at what else happened
WAIT_SECONDS: Final = 0.01  # between two looks while nothing can be written
ALTERNATIVES: Final = 5  # named by :why
CONTEXT: Final = 20  # characters before the one that :why explains
_NAMED: Final = {" ": "space", "\n": "newline", "\t": "tab"}
_WAITING: Final = (State.LOADING, State.REPLAYING, State.RESTORING)


class WrongCommand(ValueError):
    """A line that cannot be followed as it was typed; the message is one line."""


@dataclass(frozen=True)
class LineCommand:
    """name: without its colon. arguments: as the help shows them."""

    name: str
    arguments: str
    help: str
    perform: Callable[[str], None]


class LinePlayground:
    """Performs typed lines. Texts and answers go to `write`, in pieces as they come; messages to `say`, a line each."""

    def __init__(
        self,
        playground: Playground,
        find: Callable[[str], ModelSource],
        write: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        """find: the model that a name or path means; raises ValueError, one line."""
        self.playground, self._find, self._write, self._say = playground, find, write, say
        self.ended = False
        self._stopped = False
        self._title = ""
        self._controls = [control for control in CONTROLS if control is not REPLAY]  # :replay is a command
        controls = [
            LineCommand(name_of(control), "[VALUE]", f"Set {control.name}, or show it.", self._setter(control))
            for control in self._controls
        ]
        self.commands = {
            command.name: command
            for command in (
                LineCommand("go", "", "Write on; so does an empty line.", self._go),
                LineCommand("reroll", "", "Write another text, with a new seed.", self._reroll),
                LineCommand("replay", "", "Write the text again from its prime, with the same seed.", self._replay),
                LineCommand("why", "[N]", "Explain character N of the text, by default the last one.", self._why),
                LineCommand("fork", "N CHARACTER", "Put another character at N, and write on from there.", self._fork),
                LineCommand("prime", "TEXT", r"Write from TEXT, with \n for a line break.", self._prime),
                *controls,
                LineCommand("model", "NAME", "Open another model: a file, a run, or a shipped one.", self._model),
                LineCommand("text", "", "Show the whole text.", self._text),
                LineCommand("save", "FILE", "Write the text to a new file; .json with probabilities.", self._save),
                LineCommand("settings", "", "Show the model, the prime and all settings.", self._settings),
                LineCommand("help", "", "Show the commands.", self._help),
                LineCommand("quit", "", "End; so does the end of the input.", self._quit),
            )
        }

    def open(self, source: ModelSource | None) -> None:
        """Open a model, by default the newest, and write nothing yet. Raises ValueError, one line, if it cannot be."""
        self._stopped = False
        self.playground.problem = ""
        self.playground.open(source)
        while self.playground.state in _WAITING and not self._stopped:
            time.sleep(WAIT_SECONDS)
            self._take_facts()
        self.playground.stop()
        if self.playground.problem:
            raise ValueError(self.playground.problem)
        if self.playground.model is not None:  # the same lines write the same texts, from the first character on
            self.playground.model.network.wait_for_compiled_code()

    def stop(self) -> bool:
        """End what is being done, soon; False if that was asked for already. May be called by a signal handler."""
        first, self._stopped = not self._stopped, True
        return first

    def perform(self, line: str) -> None:
        """Follow a typed line. Raises WrongCommand, ValueError or OSError; the text is then as it was."""
        self._stopped = False
        self.playground.problem = ""
        if not line:
            self._go("")
        elif not line.startswith(":"):
            self._start(line)
        else:
            name, _, argument = line[1:].partition(" ")
            if name not in self.commands:
                raise WrongCommand(f":{name}: no such command{self._nearest(name) or '; :help lists them'}")
            command, argument = self.commands[name], argument.strip()
            if argument and not command.arguments:
                raise WrongCommand(f":{name} takes no argument")
            command.perform(argument)

    def _nearest(self, name: str) -> str:
        close = difflib.get_close_matches(name, self.commands, n=1, cutoff=0.5)
        return f", did you mean :{close[0]}?" if close else ""

    # -- writing ------------------------------------------------------------------------------------------------------

    def _start(self, prime: str) -> None:
        vocabulary = self._vocabulary
        if unknown := vocabulary.unknown(prime):
            self._say(f"left out: {UnknownCharacters(unknown)}")
        self.playground.change_prime(prime)
        self._write_on()

    def _prime(self, text: str) -> None:
        self._start(text.replace("\\n", "\n"))

    def _go(self, _: str) -> None:
        if not self.playground.writer.count:
            self._write(self.playground.text)
        self.playground.go_on()
        self._write_on()

    def _reroll(self, _: str) -> None:
        self.playground.reroll()
        self._write_on()

    def _replay(self, _: str) -> None:
        self.playground.start_over()
        self._write_on()

    def _write_on(self) -> None:
        """Write until the text has its length, and say how long it is."""
        playground, last = self.playground, ""
        while not self._stopped:
            if self._take_facts():
                last = playground.text
                self._write(last)
            if playground.state not in (*_WAITING, State.WRITING):
                break
            new = playground.advance(SLICE_SECONDS)
            last = new or last
            self._write(new)
            if not new and not playground.problem:
                time.sleep(WAIT_SECONDS)
        playground.stop()
        self._write("" if not last or last.endswith("\n") else "\n")
        if playground.problem:
            raise ValueError(playground.problem)
        self._say(("stopped, :go writes on · " if self._stopped else "") + self._figures())

    def _take_facts(self) -> bool:
        """Take what has happened; whether another text is to be shown."""
        shown = False
        for fact in self.playground.poll():
            shown = shown or isinstance(fact, TextShown)
            if isinstance(fact, ModelChanged) and fact.model.title != self._title:
                self._title = fact.model.title
                self._say(f"model: {self._title}")
        return shown

    def _figures(self) -> str:
        writer = self.playground.writer
        surprise = [per_char(writer.nats_per_char)] if writer.count else []
        return " · ".join([f"{writer.count:,} chars", *surprise, f"seed {self.playground.settings.seed}"])

    # -- settings -----------------------------------------------------------------------------------------------------

    def _setter(self, control: PlayControl) -> Callable[[str], None]:
        def set_or_show(value: str) -> None:
            playground = self.playground
            if not value:
                self._write(f"{control.name} {control.shown(playground.settings)}\n")
                return
            try:
                settings = control.typed(playground.settings, value)
                playground.check(settings)
            except ValueError as error:
                raise WrongCommand(str(error)) from None
            before = playground.writer.generated
            playground.change(settings)
            self._say(f"{control.name} {control.shown(settings)}")
            if playground.writer.generated is not before:  # another seed starts over
                self._write_on()
            playground.stop()  # a longer length would go on at once

        return set_or_show

    def _model(self, name: str) -> None:
        if not name:
            raise WrongCommand(":model needs a name: a file, a run, or a shipped model")
        self._title = ""
        self.open(self._find(name))

    def _settings(self, _: str) -> None:
        playground = self.playground
        lines = [f"model {playground.model.title}"] if playground.model is not None else []
        prime = playground.prime
        lines.append("prime " + (spoken(prime) if len(prime) == 1 else repr(prime) if prime else "none"))
        lines += [f"{name_of(control)} {control.shown(playground.settings)}" for control in self._controls]
        self._write("".join(f"{line}\n" for line in [*lines, f"text {self._figures()}"]))

    # -- the text -----------------------------------------------------------------------------------------------------

    @property
    def _vocabulary(self) -> Vocabulary:
        model = self.playground.model
        if model is None:
            raise ValueError("no model is open; :model NAME opens one")
        return model.vocabulary

    def _generated(self) -> GeneratedText:
        generated = self.playground.writer.generated
        if not generated:
            raise ValueError(f"{NO_TEXT}: type a beginning, or :go")
        return generated

    def _position(self, number: str, count: int) -> int:
        if not number.isdecimal() or not 1 <= int(number) <= count:
            raise WrongCommand(f"{number!r} is not the number of a character: 1 to {count:,}")
        return int(number) - 1

    def _why(self, number: str) -> None:
        generated = self._generated()
        position = self._position(number, len(generated)) if number else len(generated) - 1
        self._write("".join(f"{line}\n" for line in explanation(generated, position)))

    def _fork(self, argument: str) -> None:
        generated = self._generated()
        number, _, character = argument.partition(" ")
        if not number or not character:
            raise WrongCommand(":fork needs a number and a character, such as :fork 12 x")
        position, vocabulary = self._position(number, len(generated)), self._vocabulary
        token_id = vocabulary.index.get(typed_character(character))
        if token_id is None:
            raise ValueError(f"{spoken(typed_character(character))} is not in the model's alphabet")
        if problem := self.playground.fork(position, token_id):
            raise ValueError(problem)
        self._write_on()

    def _text(self, _: str) -> None:
        self._generated()
        text = self.playground.text
        self._write(text if text.endswith("\n") else f"{text}\n")

    def _save(self, name: str) -> None:
        path, branch = Path(os.path.expanduser(name)), self.playground.tree.current
        self._generated()
        if not name or path.is_dir():
            raise WrongCommand(":save needs the name of a file")
        if os.path.lexists(path):
            raise ValueError(f"{path}: exists already; choose another name")
        assert branch is not None  # there is a text
        data = with_probabilities(branch) if path.suffix.lower() == ".json" else as_bytes(self.playground.text)
        write_atomically(path, data)
        self._say(f"saved: {path}, {len(data):,} bytes")

    # -- the rest -----------------------------------------------------------------------------------------------------

    def _help(self, _: str) -> None:
        forms = {f"{one.name} {one.arguments}".strip(): one.help for one in self.commands.values()}
        self._write("A line without a colon is a prime: the model writes what follows it.\n")
        self._write("".join(f":{form} – {help}\n" for form, help in forms.items()))

    def _quit(self, _: str) -> None:
        self.ended = True


def name_of(control: PlayControl) -> str:
    """The command that sets a control."""
    return control.name.lower().replace(" ", "-")


def spoken(character: str) -> str:
    """A character as it can be read aloud: `'e'`, `space`, `'.' (full stop)`, `U+001B`."""
    if character in _NAMED:
        return _NAMED[character]
    if not character.isprintable():
        return f"U+{ord(character):04X}"
    sign = f"'{character}'"
    return sign if character.isalnum() else f"{sign} ({unicodedata.name(character, f'U+{ord(character):04X}').lower()})"


def typed_character(word: str) -> str:
    """The character that a word means: itself, `space`, `newline`, `tab`, or `U+00E9`. Raises WrongCommand."""
    by_name = {name: character for character, name in _NAMED.items()}
    if word in by_name:
        return by_name[word]
    code = re.fullmatch(r"[uU]\+([0-9a-fA-F]{1,6})", word)
    if code is not None and int(code[1], 16) < 0x110000:
        return chr(int(code[1], 16))
    if len(word) != 1:
        raise WrongCommand(f"{word!r} is not one character; there are also space, newline, tab, and U+00E9")
    return word


def explanation(generated: GeneratedText, position: int) -> list[str]:
    """In words, why a character was written: lines for a reader without a screen."""
    tokens, token_id = generated.vocabulary.tokens, generated.ids[position]
    distribution = generated.distribution_at(position)
    found = distribution.statistics(token_id)
    before = (generated.prime + generated.vocabulary.decode(generated.ids[:position]))[-CONTEXT:]
    others = [int(other) for other in distribution.order[: ALTERNATIVES + 1] if other != token_id][:ALTERNATIVES]
    places = {other: distribution.place_of(other) for other in others}
    alternatives = [
        f"{spoken(tokens[other])} {percent(distribution.before_at(place))}, "
        + (
            f"with the settings {percent(share)}"
            if (share := distribution.after_at(place))
            else "excluded by the settings"
        )
        for other, place in places.items()
    ]
    chosen = ", chosen by a fork" if position in generated.forced else ""
    return [
        f"character {position + 1:,}: {spoken(tokens[token_id])}{chosen}, after {before!r}",
        f"rank {found.rank} of {len(tokens)}",
        f"probability {percent(found.probability)}, with the settings {percent(found.chosen_probability)}",
        f"surprise {nats(found.surprise_bits):.2f} nats ({found.surprise_bits:.2f} bits)",
        f"entropy {nats(found.entropy_bits):.2f} nats ({found.entropy_bits:.2f} bits)",
        f"the settings allow {distribution.kept} of {len(tokens)} characters",
        "likeliest others:",
        *alternatives,
    ]


def percent(share: float) -> str:
    """`41 %`, `3.2 %`, `0.05 %`."""
    if 0 < share < 5e-5:
        return "less than 0.01 %"
    return f"{100 * share:.0f} %" if share >= 0.0995 else f"{100 * share:.2g} %"
