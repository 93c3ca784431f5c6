"""Members trained in a process of its own, as a job does: a process that has JAX must not be forked.

    python -m tests.unit.bundle_at_work HOW FIRST < MEMBERS

HOW is the name of a function here. Members are plain, as a job is told of them; the first are left out.
"""

import json
import os
import signal
import sys

import numpy as np

from spectral_capacity.results.bundles import Member
from spectral_capacity.results.freshness import known_by
from spectral_capacity.results.netcdf import write_netcdf
from spectral_capacity.results.workers import CellsFailed, train_each
from spectral_capacity.sampling.content import content_of


def write(member, report=print):
    values = {"seed": (("seed",), np.arange(4.0), {}), "capacity": (("seed",), np.arange(4), {})}
    write_netcdf(member.file, values, {"provenance": "{}"} | known_by(member, content_of(member)))


def fails(member, report):
    if member.name == "second":
        raise ValueError("no good")
    write(member)


def is_killed(member, report):
    if member.name == "second":
        os.kill(os.getpid(), signal.SIGKILL)
    write(member)


def start(how):
    if how == "cannot_start":
        raise RuntimeError("no such device")
    return {"write": write, "fails": fails, "is_killed": is_killed}[how]


if __name__ == "__main__":
    how, first = sys.argv[1], int(sys.argv[2])
    members = [Member(**plain) for plain in json.load(sys.stdin)]
    try:
        train_each(members[first:], lambda: start(how), "train", print)
    except CellsFailed as error:
        sys.exit(str(error))
