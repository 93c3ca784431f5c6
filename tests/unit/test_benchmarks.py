"""Benchmarks are run by hand; that of a GPU must run where there is none, or say why not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def benchmark(*arguments):
    run = subprocess.run(
        [sys.executable, "benchmarks/gpu.py", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout


@pytest.mark.slow
def test_the_benchmark_of_a_gpu_prints_its_tables_on_a_cpu():
    small = ("--small", "--d", "8", "16", "--items", "300", "--repeats", "1", "--without-torch")
    tables = benchmark("--device", "cpu", *small).split("\n\n")[1:4]
    assert ["Muon step" in tables[0], "softmax" in tables[1], "decomposition" in tables[2]] == [
        True
    ] * 3
    for table in tables:
        rows = [line.split() for line in table.splitlines()[2:]]
        assert [row[0] for row in rows] == ["8", "16"]
        assert all(float(row[-1].replace("–", "1")) > 0 for row in rows)


def test_without_a_gpu_it_says_so():
    assert benchmark().startswith("Not run: device: gpu was asked for")
