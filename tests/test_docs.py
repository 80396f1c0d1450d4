"""The documentation is true: key tables are those of the declarations, and the files and methods it names exist."""

import re
from pathlib import Path

from charrnn_tui.run.fitting import SIZES, fit_to_text
from charrnn_tui.run.settings import settings_for
from charrnn_tui.tui.keymap import declared_keys
from charrnn_tui.tui.keys import Key
from docs import cli_pages, config_schema
from docs.key_tables import PAGES, table, undocumented, written_anew

ROOT = Path(__file__).parents[1]


def test_the_key_tables_are_those_that_the_app_declares() -> None:
    stale = [page.name for page in PAGES if page.read_text("utf-8") != written_anew(page.read_text("utf-8"))]
    assert stale == [], "run `make docs`"


def test_the_page_of_commands_is_their_help() -> None:
    assert cli_pages.PAGE.read_text("utf-8") == cli_pages.written(), "run `make docs`"


def test_the_schema_is_that_of_the_settings() -> None:
    assert config_schema.FILE.read_text("utf-8") == config_schema.written(), "run `make docs`"


def test_every_promise_of_security_has_a_test() -> None:
    promised = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "SECURITY.md").read_text("utf-8"))
    assert len(promised) >= 4
    missing = [name for path, name in promised if f"def {name}(" not in (ROOT / path).read_text("utf-8")]
    assert missing == []


def anchors(page: Path) -> set[str]:
    """What a link may name in a page: its headings as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_of_a_page_leads_somewhere() -> None:
    broken, links = [], 0
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "checkpoints").glob("*.md")]:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
            if "://" in target:
                continue
            links += 1
            path, _, anchor = target.partition("#")
            found = page.parent / path if path else page
            if not found.exists() or (anchor and anchor not in anchors(found)):
                broken.append(f"{page.name}: {target}")
    assert links > 40
    assert broken == []


def test_the_guide_names_every_page_and_readme_every_shipped_model() -> None:
    guide, readme = (path.read_text("utf-8") for path in (ROOT / "docs" / "guide.md", ROOT / "README.md"))
    others = {page.name for page in (ROOT / "docs").glob("*.md")} - {"guide.md", "architecture.md"}
    assert {page for page in others if f"]({page})" not in guide} == set()
    models = [model.stem for model in (ROOT / "checkpoints").glob("*.safetensors")]
    assert models
    assert [model for model in models if f"`{model}`" not in readme] == []


def test_every_picture_is_shown_on_a_page() -> None:
    pages = "".join(page.read_text("utf-8") for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    assert [picture.name for picture in (ROOT / "docs").glob("*.svg") if picture.name not in pages] == []


def test_the_page_of_sizes_names_those_that_quick_takes() -> None:
    rows = re.findall(
        r"^\|.*\| (\d)×(\d+)(?:, [^|]*)? \|", (ROOT / "docs" / "sizes.md").read_text("utf-8"), re.MULTILINE
    )
    fitted = [fit_to_text(settings_for("quick"), chars) for chars in (*SIZES, 2_000_000)]
    assert rows[: len(fitted)] == [(str(one.n_layers), str(one.n_hidden)) for one in fitted]


def test_every_class_with_keys_is_in_a_table() -> None:
    assert {"StudioApp", "TrainScreen", "PlayScreen", "RunsScreen", "CompareScreen"} <= set(declared_keys())
    assert undocumented(PAGES) == set()


def test_a_row_has_one_sentence_and_the_keys_in_a_row_that_share_it() -> None:
    keys = [
        Key("g", "stop", "Stop", "Stop.", "stop"),
        Key("g", "go_on", "Go on", "Go on.", "go_on"),
        Key("vertical_line", "beside", "Beside", "Beside.", "beside"),
        Key("shift+left,ctrl+left", "big(-1)", "Back", "Big step.", "back"),
        Key("shift+right", "big(1)", "On", "Big step.", "on"),
    ]
    rows = table(keys).splitlines()[2:]
    assert rows == [
        "| `g` | Stop. |",
        "| `g` | Go on. |",
        r"| `\|` | Beside. |",
        "| `Shift+←` `Ctrl+←` `Shift+→` | Big step. |",
    ]


def test_a_stale_table_is_written_anew() -> None:
    page = "Above.\n<!-- keys: ModelMenu -->\nold\n<!-- /keys -->\nBelow.\n"
    assert "| `m` |" in written_anew(page)
    assert "old" not in written_anew(page)
    assert written_anew(written_anew(page)) == written_anew(page)


def test_the_architecture_page_names_files_and_definitions_that_exist() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    sources = [
        path.read_text("utf-8") for path in (ROOT / "charrnn_tui").rglob("*.[pc]*") if path.suffix in (".py", ".c")
    ]
    files = {path.relative_to(ROOT / "charrnn_tui").as_posix() for path in (ROOT / "charrnn_tui").rglob("*")}
    names = re.findall(r"`([a-z_/]+\.(?:py|c))`", page)
    assert len(names) > 20
    for name in names:
        assert name in files or any(file.endswith("/" + name) for file in files) or (ROOT / name).is_file(), name
    members = re.findall(r"`([A-Z]\w+)\.(\w+)[`(]", page)
    assert len(members) > 10
    for owner, member in members:
        of_class = [source for source in sources if f"class {owner}" in source]
        assert any(re.search(rf"def {member}\(|^    {member}[:\s]", source, re.M) for source in of_class), member
