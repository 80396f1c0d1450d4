"""Trains a shipped model again and writes its card: python checkpoints/make.py NAME [TEXT] [OPTION…]

NAME: anna, which needs the notebook's text; python, of `demo:python`; names, of the first names in Faker. Further
options, such as --threads 1, are passed to `charrnn-tui train`. The model goes to `checkpoints/NAME.safetensors`, in
float16.
"""

import hashlib
import importlib
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import numpy as np

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.checkpoint.safetensors_file import read_checkpoint, write_checkpoint
from charrnn_tui.cli.main import PROGRAM
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.quantities import duration, size
from charrnn_tui.run.settings import PRESETS
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.scoring import batch_losses, sequence_losses
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.corpus import load_corpus
from charrnn_tui.text.demo import DEMO, text_path
from charrnn_tui.training.checkpoint_history import halved

HERE = Path(__file__).parent
LICENCE = 19_000  # characters at the end of anna.txt that are the licence of the edition
PRESET = {"anna": "thorough", "python": "quick", "names": "thorough"}
PRIMES = {"anna": "Anna", "python": "def ", "names": "\n"}
ABOUT = {
    "anna": "*Anna Karenina* by Leo Tolstoy, in English: the course notebook's `anna.txt`",
    "python": "the source of Python's standard library, as `demo:python` collects it",
    "names": "first names that are written with the letters A to Z, one a line, from Faker's data of all languages",
}
LIMITS = {
    "anna": "It knows one nineteenth-century novel in translation, and nothing else: English letters and punctuation, "
    "no accents, no emoji. The last 19,000 characters of the text are the licence of the edition, which nothing before "
    "it resembles.",
    "python": "It writes lines that look like Python, most of which would not run, and knows ASCII only.",
    "names": "It knows the letters of names, not who bears them: many that it writes are real names that it has read, "
    "others are new.",
}
CREDITS = {
    "anna": "The text is in the public domain; this edition is Project Gutenberg's.",
    "python": "The source is under the PSF License, Copyright © 2001 Python Software Foundation; all rights reserved.",
    "names": "The names are from Faker, by joke2k and contributors, under the MIT License.",
}


def names() -> list[str]:
    """The names, each once, in the order of their SHA-256, so that the held-out end is like the rest."""
    import faker.providers.person as person  # an extra: `pip install charrnn-tui[checkpoints]`

    found: set[str] = set()
    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"{person.__name__}.{module.name}").Provider
        for field in ("first_names", "first_names_male", "first_names_female"):
            listed = getattr(provider, field, ())
            found.update(() if isinstance(listed, property) else listed)
    plain = (name for name in found if name.isascii() and name.isalpha() and name.istitle())
    return sorted(plain, key=lambda name: hashlib.sha256(name.encode()).digest())


def text_of(name: str, given: list[str], scratch: Path) -> tuple[Path, str]:
    """The text's file, and the version of the software that it is from, if it is from any."""
    if name == "anna":
        return Path(given.pop(0)), ""
    if name == "python":
        return Path(text_path(DEMO)), f" (Python {sys.version.split()[0]})"
    file = scratch / "names.txt"
    file.write_text("".join(f"{each}\n" for each in names()), "utf-8")
    return file, f" (Faker {version('Faker')})"


def losses(name: str, checkpoint: Checkpoint, ids: np.ndarray) -> Iterator[tuple[str, str]]:
    """Rows of the card: the losses on the held-out part, read in one pass."""
    model = CharModel(checkpoint)
    model.wait_for_compiled_code()
    found = np.concatenate(list(sequence_losses(model, ids)))
    yield "loss on the held-out part", f"{found.mean():.4f} nats/char, read in one pass"
    if name == "anna":
        batches = np.mean(list(batch_losses(model, ids, 128, 100)))
        yield (
            "in the notebook's batches of 128 × 100",
            f"{batches:.4f} nats/char; the notebook's own run came to 1.2952",
        )
        novel, licence = found[:-LICENCE].mean(), found[-LICENCE:].mean()
        yield "in one pass, divided", f"the novel {novel:.4f}, the licence at the end {licence:.3f}"


def sample(name: str, checkpoint: Checkpoint) -> str:
    """A few lines of the model's, with the seed 42."""
    prime, settings = PRIMES[name], SamplingSettings(temperature=0.8, top_k=None if name == "names" else 5)
    sampler = Sampler(CharModel(checkpoint), checkpoint.vocabulary, settings, seed=42, prime=prime)
    return (prime + "".join(each.character for each in islice(sampler, 90 if name == "names" else 400))).strip()


def card(name: str, run: RunDirectory, text: Path, source: str, options: list[str]) -> str:
    """The card of the model in `checkpoints/`."""
    file = HERE / f"{name}.safetensors"
    checkpoint, progress = read_checkpoint(file), run.progress()
    facts, started, corpus = checkpoint.facts, progress.started, load_corpus([str(text)])
    assert started is not None
    assert progress.last_step is not None
    held_out = corpus.split(facts["val_frac"] or 0.1)[1]
    settings = ", ".join(f"{field} {facts['settings'][field]}" for field in PRESETS["thorough"])
    train = " ".join(["charrnn-tui train", DEMO if name == "python" else text.name, *options])
    sha256 = hashlib.sha256(text.read_bytes()).hexdigest()
    rows = [
        ("text", f"{ABOUT[name]}{source}: {len(corpus.ids):,} characters, SHA-256 of the file `{sha256[:16]}…`"),
        ("made by", f"`{train}`, then rounded to float16; the best of its validations, step {facts['step']:,}"),
        ("settings", f"{settings}"),
        ("on", f"{started.device_name}, {started.precision}, threads {started.threads}"),
        ("time", f"{duration(progress.last_step.train_seconds)} of training"),
        ("training loss", f"{facts['loss']:.4f} nats/char at that step, with dropout"),
        (
            "validation loss",
            f"{facts['val_loss']:.4f} nats/char, in batches of {facts['batch_size']} × {facts['seq_length']}",
        ),
        *losses(name, checkpoint, held_out),
    ]
    shape = f"{checkpoint.n_layers} {'layers' if checkpoint.n_layers > 1 else 'layer'} of {checkpoint.n_hidden} units"
    return f"""# {name}.safetensors

A character-level LSTM: {shape}, {checkpoint.parameters:,} parameters in float16 ({size(file.stat().st_size)}), \
{len(checkpoint.vocabulary)} characters.

| | |
|---|---|
{"".join(f"| {field} | {value} |{chr(10)}" for field, value in rows)}
{LIMITS[name]}

{CREDITS[name]}

What it writes, with temperature 0.8{"" if name == "names" else ", top-k 5"} and seed 42:

```
{sample(name, checkpoint)}
```
"""


def main(name: str, *given: str) -> None:
    """Train, write the model, and its card."""
    arguments = list(given)
    with tempfile.TemporaryDirectory() as scratch:
        text, source = text_of(name, arguments, Path(scratch))
        options = ["--preset", PRESET[name], "--seed", "0", *arguments]
        command = [PROGRAM, "train", str(text), "--name", name, "--runs-dir", scratch, *options]
        subprocess.run(command, check=True)
        run = RunDirectory(Path(scratch) / name)
        write_checkpoint(HERE / f"{name}.safetensors", halved(read_checkpoint(run.best_file)))
        (HERE / f"{name}.md").write_text(card(name, run, text, source, options), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
