"""Sequences whose items are made when somebody asks for them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar, overload

_Item_co = TypeVar("_Item_co", covariant=True)


class LazySequence(Sequence[_Item_co]):
    """A sequence that makes its items one by one."""

    @abstractmethod
    def item(self, index: int) -> _Item_co:
        """An item; a negative index counts from the end."""

    @overload
    def __getitem__(self, index: int) -> _Item_co: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[_Item_co]: ...
    def __getitem__(self, index: int | slice) -> _Item_co | Sequence[_Item_co]:
        """An item, or a list of some."""
        if isinstance(index, slice):
            return [self.item(each) for each in range(*index.indices(len(self)))]
        return self.item(index)
