"""Build the C kernels: cffi in API mode (a call releases the GIL), limited API (one abi3 wheel).

`HEADERS` are the one list of prototypes: the C sources include them, cffi reads them.
`AEVENTS_SANITIZE=1` builds with AddressSanitizer and UndefinedBehaviorSanitizer.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
HEADERS = ("kernels.h", "emulate.h", "ahead.h")


def _declarations() -> str:
    """Return what cffi understands of the headers: no preprocessor line, constants as `...`."""
    text = "\n".join((HERE / name).read_text() for name in HEADERS)
    text = re.sub(r"^#define\s+(\w+)\s+\d+.*$", r"#define \1 ...", text, flags=re.M)
    return "\n".join(
        line for line in text.splitlines() if not line.startswith("#") or line.endswith(" ...")
    )


def _flags() -> tuple[list[str], list[str]]:
    # Floats are as in the twins, to the bit: products and sums are not fused.
    floats = ["-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
    compile_args = ["-std=c11", "-O3", "-Wall", "-Wextra", *floats]
    if os.environ.get("AEVENTS_WERROR"):
        compile_args.append("-Werror")
    if not os.environ.get("AEVENTS_SANITIZE"):
        return compile_args, []
    sanitize = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
    return [*compile_args, *sanitize, "-g", "-O1"], sanitize


_compile_args, _link_args = _flags()
ffibuilder = FFI()
ffibuilder.cdef(_declarations())
ffibuilder.set_source(
    "aevents._native._kernels",
    "".join(f'#include "{name}"\n' for name in HEADERS),
    sources=sorted(
        str(path.relative_to(ROOT)) for path in HERE.glob("*.c") if path.name != "_kernels.c"
    ),
    include_dirs=[str(HERE.relative_to(ROOT))],
    depends=sorted(str(path.relative_to(ROOT)) for path in HERE.glob("*.h")),
    py_limited_api=True,
    extra_compile_args=_compile_args,
    extra_link_args=_link_args,
)
