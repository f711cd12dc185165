"""Give numba's compiler a type, and all our kernels one set of options."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Sums may be reordered so that loops vectorise, and no NaN is expected; infinities are.
_FAST_SUMS = {"reassoc", "contract", "nsz", "arcp", "nnan"}


def kernel(function: _Function) -> _Function:
    """Compile `function` to machine code that is cached on disk and runs without the GIL.

    A kernel checks no bounds: whoever packs its arrays keeps every slot inside them. Its cache
    notices changes of its own file only: delete `__pycache__` after editing one that is called from
    another file.
    """
    compiled: _Function = numba.njit(cache=True, nogil=True, fastmath=_FAST_SUMS)(function)
    return compiled


def inlined(function: _Function) -> _Function:
    """Compile like `kernel`, into every kernel that calls it.

    For a few lines that are called very often with a tuple of arrays: to hand on so many arrays
    costs far more than the lines do.
    """
    compiled: _Function = numba.njit(nogil=True, fastmath=_FAST_SUMS, inline="always")(function)
    return compiled
