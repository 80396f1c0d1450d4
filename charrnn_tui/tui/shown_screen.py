"""What Textual does twice when a screen is shown is done once."""

from collections.abc import Iterator
from contextlib import contextmanager

from textual import events
from textual.app import App


@contextmanager
def shown_once(app: App[object], event: events.Event) -> Iterator[None]:
    """Around the handling of each event of a screen.

    No widget is styled again because its screen is shown: each is when it is mounted, and with another theme. The
    screen is first painted when it has been resized, which follows at once.
    """
    if isinstance(event, events.ScreenResume):
        event.refresh_styles = False
        with app.batch_update():
            yield
    else:
        yield
