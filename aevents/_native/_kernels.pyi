# The extension module that build.py makes of kernels.h: cffi's objects have no types of their own.
from typing import Any

ffi: Any
lib: Any
