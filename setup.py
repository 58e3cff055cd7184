"""Finds the packages: a folder is a subpackage of `assay` without being listed anywhere."""

from setuptools import find_packages, setup

LAYERS = ("scanner", "rules", "reports")

setup(
    package_dir={f"assay.{layer}": layer for layer in LAYERS},
    packages=[f"assay.{name}" for layer in LAYERS for name in find_packages(include=[layer, f"{layer}.*"])],
)
