"""Registries: how apps that never import each other meet."""

from collections.abc import Iterator


class Registry[T]:
    """A named collection that apps fill at start-up by decorator; names are unique.

    Apps put their contributions into an agreed module (`readiness.py`, `evidence.py`, …), which the roof
    discovers once all apps are loaded.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self._items: dict[str, T] = {}

    def add(self, name: str, item: T) -> T:
        """Register an item; raises ValueError when another item holds the name."""
        if name in self._items and self._items[name] != item:
            raise ValueError(f"Two {self.what} are called {name!r}.")
        self._items[name] = item
        return item

    def __getitem__(self, name: str) -> T:
        try:
            return self._items[name]
        except KeyError:
            raise KeyError(f"No {self.what} is called {name!r}.") from None

    def __contains__(self, name: str) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> list[tuple[str, T]]:
        """Return (name, item) pairs in order of registration."""
        return list(self._items.items())

    def values(self) -> list[T]:
        """Return the items in order of registration."""
        return list(self._items.values())
