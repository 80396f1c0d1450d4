"""Keys are handed to the widgets one at a time."""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from textual import events
from textual.app import App
from textual.message import Message

_LONGEST_SECONDS: Final = 0.5  # for which a key holds back the next one; the widget that had it may be gone


@dataclass
class KeyHandled(Message):
    """Posted behind a key, it takes the same way up to the app, whether or not the key was stopped on it."""

    key: events.Key


class KeyQueue:
    """Textual gives the next key to the widget in focus before the bindings of screen and app have acted on the last.

    They may move the focus; a key that comes right behind, as from a slow line, would go where it was before.
    """

    def __init__(self, app: App[Any], hand_on: Callable[[events.Key], Awaitable[None]]) -> None:
        self._app, self._hand_on = app, hand_on
        self._on_its_way: events.Key | None = None
        self._waiting: deque[events.Key] = deque()

    async def put(self, key: events.Key) -> None:
        """Hand on this key, now or when those before it have been handled."""
        self._waiting.append(key)
        await self._next()

    async def handled(self, key: events.Key) -> None:
        if key is self._on_its_way:
            self._on_its_way = None
            await self._next()

    async def _next(self) -> None:
        while self._waiting and self._on_its_way is None and self._app.screen_stack:  # none when the app has ended
            key = self._waiting.popleft()
            await self._hand_on(key)
            if key.is_forwarded and (self._app.focused or self._app.screen).post_message(KeyHandled(key)):
                self._on_its_way = key
                self._app.set_timer(_LONGEST_SECONDS, partial(self.handled, key))
