"""Keys, and what is pasted or done with the mouse between them, are handed to the widgets one at a time."""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from textual import events
from textual.app import App
from textual.message import Message

_LONGEST_SECONDS: Final = 0.5  # for which a key holds back the next one; the widget that had it may be gone


Input = events.InputEvent | events.Paste


@dataclass
class KeyHandled(Message):
    """Posted behind a key, it takes the same way up to the app, whether or not the key was stopped on it."""

    key: events.Key


class KeyQueue:
    """Textual gives the next key to the widget in focus before the bindings of screen and app have acted on the last.

    They may move the focus; a key that comes right behind, as from a slow line, would go where it was before.
    """

    def __init__(self, app: App[Any], hand_on: Callable[[Input], Awaitable[None]]) -> None:
        self._app, self._hand_on = app, hand_on
        self._on_its_way: events.Key | None = None
        self._waiting: deque[Input] = deque()

    async def put(self, event: Input) -> None:
        """Hand on this event, now or when the keys before it have been handled."""
        self._waiting.append(event)
        await self._next()

    async def handled(self, key: events.Key) -> None:
        if key is self._on_its_way:
            self._on_its_way = None
            await self._next()

    async def _next(self) -> None:
        while self._waiting and self._on_its_way is None and self._app.screen_stack:  # none when the app has ended
            event = self._waiting.popleft()
            await self._hand_on(event)
            if not isinstance(event, events.Key) or not event.is_forwarded or not self._app.screen_stack:
                continue
            if (self._app.focused or self._app.screen).post_message(KeyHandled(event)):
                self._on_its_way = event
                self._app.set_timer(_LONGEST_SECONDS, partial(self.handled, event))
