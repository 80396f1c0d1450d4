"""The text that a model was trained on, found by what the model and its run say about it."""

import os
from dataclasses import dataclass
from pathlib import Path

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.run.directory import RunDirectory, is_run
from charrnn_tui.run.settings import StoredRequest, TrainSettings
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.text.demo import DEMO, demo_file, text_path
from charrnn_tui.text.text_settings import TextSettings


@dataclass(frozen=True)
class TrainingText:
    """The files of the text that a model was trained on. sha256: of the text at that time."""

    files: tuple[Path, ...]
    settings: TextSettings
    sha256: str | None

    @property
    def name(self) -> str:
        return self.files[0].name + (f" and {len(self.files) - 1} more" if len(self.files) > 1 else "")

    def read(self, backend: Backend) -> Corpus:
        """Blocks while it reads. Raises ValueError, one line."""
        try:
            return backend.read_corpus([str(file) for file in self.files], self.settings)
        except OSError as error:  # no permission, or a file that has just been deleted
            raise ValueError(f"{error.filename}: cannot be read: {error.strerror or error}") from None

    def is_now(self, corpus: Corpus) -> bool:
        """Whether this is still the text that the model was trained on, as far as anybody knows."""
        return self.sha256 in (None, corpus.sha256)

    def called(self, corpus: Corpus) -> str:
        """Its name, and whether it has changed."""
        return self.name + ("" if self.is_now(corpus) else ", which has changed since")


def training_text(model: LoadedModel, backend: Backend) -> TrainingText:
    """The text named in the run's settings, or else in the checkpoint. Raises ValueError, one line, if it is gone."""
    facts, source = model.facts, model.source
    run = _run_of(model, backend)
    request: StoredRequest = {} if run is None else run.read_settings()
    paths = tuple(Path(file) for file in request.get("corpus", []))
    if paths:
        missing = next((path for path in paths if not path.is_file()), None)
        if missing is not None:
            raise ValueError(f"the text of {source.label} is no longer there: {missing}")
        return TrainingText(paths, TextSettings.of(request.get("settings")), request.get("corpus_sha256"))
    name = facts.get("corpus")
    if not name or os.path.basename(name) != name:
        raise ValueError(f"{source.label} does not say which text it was trained on")
    places = [folder / f"{name}.txt" for folder in (Path.cwd(), source.file.parent)]
    found = next((place for place in places if place.is_file()), None)
    if found is None and source.kind == "shipped" and name == demo_file().stem:
        found = Path(text_path(DEMO))
    if found is None:
        raise ValueError(f"the text of {source.label} is not here: put {name}.txt into {places[0].parent}")
    return TrainingText((found,), TextSettings.of(facts.get("settings")), facts.get("corpus_sha256"))


def _run_of(model: LoadedModel, backend: Backend) -> RunDirectory | None:
    """The run that trained the model, if it still exists."""
    source, facts = model.source, model.facts
    if source.run is not None:
        return RunDirectory(source.run)
    if is_run(source.path.parent):
        return RunDirectory(source.path.parent)
    same_name = [run for run in backend.runs() if run.name == facts.get("run")]
    same = [run for run in same_name if run.read_settings().get("corpus_sha256") == facts.get("corpus_sha256")]
    return same[0] if same else None


def held_out_share(model: LoadedModel) -> float:
    """Of the text that it was trained on, the last part, which it has not seen."""
    settings = model.facts.get("settings") or {}
    return float(settings.get("val_frac", TrainSettings().val_frac))
