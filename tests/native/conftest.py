"""Every test that asks for `kernels` runs against the twins, and C at each level the CPU has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .kernels import IMPLEMENTATIONS, implementation

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(params=IMPLEMENTATIONS, scope="session")
def kernels(request: pytest.FixtureRequest) -> ModuleType:
    return implementation(request.param)
