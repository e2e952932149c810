"""What pyproject.toml cannot say: the C kernels, built once for every Python from 3.11 on."""

from setuptools import setup

setup(
    cffi_modules=["aevents/_native/build.py:ffibuilder"],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
