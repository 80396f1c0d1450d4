"""Fields of one line: undo, and what a field that gets the focus does with its text."""

from textual.app import App

from charrnn_tui.tui.text_field import TextField


class OneField(App[None]):
    def __init__(self, value: str) -> None:
        super().__init__()
        self.value = value

    def on_mount(self) -> None:
        self.field = TextField(self.value)
        self.mount(self.field)


async def test_letters_typed_in_a_row_are_undone_together_and_redone() -> None:
    app = OneField("books")
    async with app.run_test() as pilot:
        await pilot.press("slash", "a", "backspace", "b")
        assert app.field.value == "books/b"
        shown = []
        for key in ["ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+y", "ctrl+y", "x", "ctrl+y", "ctrl+z"]:
            await pilot.press(key)
            shown.append(app.field.value)
        assert shown == ["books/", "books/a", "books", "books", "books/a", "books/", "books/x", "books/x", "books/"]


async def test_a_text_that_was_put_into_the_field_can_be_undone() -> None:
    app = OneField("old")
    async with app.run_test() as pilot:
        app.field.value = "new"
        await pilot.press("ctrl+z")
        assert app.field.value == "old"


async def test_a_field_that_gets_the_focus_keeps_its_text() -> None:
    app = OneField("books/anna.txt")
    async with app.run_test() as pilot:
        await pilot.press("question_mark", "2")
        assert app.field.value == "books/anna.txt?2"
