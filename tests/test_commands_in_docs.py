"""Every command of README and guide runs as it is pasted, page by page, in a terminal, from an empty home directory.

What differs from a user's machine, so that minutes become seconds: the texts that the pages name are stand-ins
of 12,000 characters; a training has a small model and ends after a few steps, also one that has a budget; doctor
leaves out its speed check. An app that opens is drawn, and ended with Ctrl+Q. Commands that install are not run here:
make targets must exist, and what an installed wheel does is in test_packaging.py.
"""

import os
import re
import shlex
import string
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.training.net_writer import write_net
from tests.cli.conftest import random_checkpoint, some_text
from tests.terminal.pseudo_terminal import PATIENCE_SECONDS, PseudoTerminal

ROOT = Path(__file__).parents[1]
GENERATED = {"cli.md"}  # what --help says; it has no commands to paste
PAGES = [
    page
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    if page.name not in GENERATED
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHELLS = ("bash", "sh", "console", "shell")
INSTALLS = re.compile(r"make |pip install |pipx install |uv tool install |git clone |cd ")

PROGRAM = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(ROOT)!r})
words = sys.argv[1:]
if words[:1] == ["train"]:
    if "--budget" in words:
        from charrnn_tui.run.quantities import seconds_of
        place = words.index("--budget")
        assert seconds_of(words[place + 1])
        del words[place : place + 2]
    words += ["--max-steps", "8" if "--resume" in words else "4"]
    small = {{"--n-hidden": "16", "--n-layers": "1", "--threads": "1"}}
    if "--resume" not in words and "--init-from" not in words:
        varied = " ".join(words).replace("_", "-")  # by --grid, where it is n_hidden=…
        words += [word for option in small.items() if option[0].strip("-") not in varied for word in option]
if words[:1] == ["doctor"]:
    words.append("--no-speed")
sys.argv[1:] = words
from charrnn_tui.cli.main import main
main()
"""


def blocks(page: Path) -> list[str]:
    """The blocks of a page that are for a shell."""
    return [text for language, text in FENCE.findall(page.read_text("utf-8")) if language in SHELLS]


def without_comment(line: str) -> str:
    return " ".join(shlex.split(line, comments=True))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the commands are typed: with texts, the program, and nothing else."""
    for name in ("my.txt", "other.txt", "anna.txt"):
        (tmp_path / name).write_text(some_text(12_000), encoding="utf-8")
    write_net(
        tmp_path / "lstm_20th_epoch.net", random_checkpoint(Vocabulary(string.printable))
    )  # the notebook's result
    layers = {"encoder": nn.Embedding(100, 8), "gru": nn.GRU(8, 16), "decoder": nn.Linear(16, 100)}
    torch.save(nn.ModuleDict(layers).state_dict(), tmp_path / "model.pth")  # of another program
    program = tmp_path / "bin" / "charrnn-tui"
    program.parent.mkdir()
    program.write_text(PROGRAM, encoding="utf-8")
    program.chmod(0o755)
    ssh = tmp_path / "bin" / "ssh"  # every host is this one
    ssh.write_text('#!/bin/bash\nexec bash -c "${!#}"\n', encoding="utf-8")
    ssh.chmod(0o755)
    return tmp_path


def typed(script: str, home: Path) -> tuple[int, str]:
    """(exit code, what was shown last) of a script in a terminal, in which an app that opens is left."""
    keep = {
        name: value for name, value in os.environ.items() if not name.startswith(("CHARRNN_TUI_", "XDG_", "PYTHON"))
    }
    variables = keep | {
        "HOME": str(home),
        "PATH": f"{home / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }
    file = home / "block.sh"
    file.write_text(f"cd {shlex.quote(str(home))}\n{script}", encoding="utf-8")
    with PseudoTerminal(["bash", "-e", "-u", str(file)], 100, 40, variables) as terminal:
        quiet_since, seen = time.monotonic(), 0
        while not terminal.ended():
            if len(terminal.received) != seen:
                quiet_since, seen = time.monotonic(), len(terminal.received)
            assert time.monotonic() - quiet_since < PATIENCE_SECONDS, f"nothing happens any more:\n{terminal.text}"
            opened = terminal.received.count(b"\x1b[?1049h") > terminal.received.count(b"\x1b[?1049l")
            terminal.type("\x11" if opened and " Help" in terminal.text else "", seconds=0.2)
        code = terminal.wait_for_end()
        return code, terminal.text


@pytest.mark.terminal
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.name)
def test_the_commands_of_a_page_run_as_they_are_pasted(page: Path, home: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for block in blocks(page):
        commands = [words for line in block.splitlines() if (words := without_comment(line))]
        if any(map(INSTALLS.match, commands)):
            assert all(map(INSTALLS.match, commands)), f"a block either installs or runs: {block}"
            targets = [command.split()[1] for command in commands if command.startswith("make ")]
            assert [target for target in targets if f"\n{target}:" not in makefile] == []
            continue
        code, shown = typed(block, home)
        assert code == 0, f"{block}\n{shown}"


def test_no_command_hides_from_this_test() -> None:
    """A line that begins with the program, or installs it, is in a block whose language is a shell's."""
    command = re.compile(rf"^(?:\s*)(?:\$ )?(?:charrnn-tui |{INSTALLS.pattern})", re.MULTILINE)
    hidden = []
    for page in PAGES:
        text = FENCE.sub(lambda found: "" if found[1] in SHELLS else found[2], page.read_text("utf-8"))
        indented = [line for line in text.splitlines() if line.startswith(("    ", "\t"))]
        fenced = [body for language, body in FENCE.findall(page.read_text("utf-8")) if language not in SHELLS]
        hidden += [f"{page.name}: {line}" for line in [*indented, *fenced] if command.search(line)]
    assert hidden == []


def test_the_script_for_a_cluster_starts_a_run_and_then_resumes_it(home: Path) -> None:
    page = (ROOT / "docs" / "leaving.md").read_text("utf-8")
    (script,) = (text for language, text in FENCE.findall(page) if language == "sbatch")
    (home / "train.sbatch").write_text(script, encoding="utf-8")
    for name, does in {"srun": '"$@"; exit ${SRUN_CODE:-$?}', "scontrol": 'echo "$@" > requeued'}.items():
        (home / "bin" / name).write_text(f"#!/bin/bash\n{does}\n", encoding="utf-8")
        (home / "bin" / name).chmod(0o755)
    shown = "charrnn-tui runs big --json"
    code, text = typed(f"SRUN_CODE=143 SLURM_JOB_ID=17 bash train.sbatch big\n{shown}\ncat requeued", home)
    assert code == 0, text
    assert '"step": 4' in text
    assert "requeue 17" in text
    code, text = typed(f"bash train.sbatch big\n{shown}", home)
    assert code == 0, text
    assert '"step": 8' in text
