"""What happens to a job at a moment that a test chooses; Python imports this by its name at every start.

The folder of this file is on the PYTHONPATH of the Snakemake that a test starts, so no code of the product
knows of it, and no digest of code. The variable FAULT is JSON:

    moment  start: the job opens its log, before anything else
            half: its file is written under a temporary name, and is about to get its own
            written: it has its own, and the note beside it is about to be written
            noted: that too; Snakemake has not been told
    log, output  of the job: the ends of their paths
    action  kill: SIGKILL of the job; at half with the temporary file cut in two
            kill all: of Snakemake too
            hold: wait until the file `hold` is gone
            anything else: a command for the shell, to which the job goes on
    times   the moment comes so many times before it counts
    hold    the file; beside it the one that waits puts its process number
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

FAULT = json.loads(os.environ.get("FAULT", "null"))


def at(event, arguments):
    """The moment that this is, or none."""
    if event == "open" and arguments[1] == "w" and str(arguments[0]).endswith(FAULT["log"]):
        return "start"
    if event == "os.rename" and str(arguments[1]).endswith(FAULT["output"]):
        return "half"
    note = Path(FAULT["output"])
    if event == "os.rename" and str(arguments[1]).endswith(f"{note.parent}/.{note.name}.sha256"):
        return "noted" if FAULT["moment"] == "noted" else "written"
    return None


def watch(event, arguments):
    global FAULT
    if event not in ("open", "os.rename") or not FAULT:
        return
    if ".snakemake/scripts" not in sys.argv[0] or at(event, arguments) != FAULT["moment"]:
        return
    if FAULT.get("times", 0):
        FAULT["times"] -= 1
        return
    fault, FAULT = FAULT, None
    if fault["moment"] == "noted":
        os.rename(arguments[0], arguments[1])
    act(fault, arguments)


def act(fault, arguments):
    action = fault["action"]
    if action == "hold":
        hold = Path(fault["hold"])
        hold.with_name(f"{hold.name}.{os.getpid()}").touch()
        while hold.exists():
            time.sleep(0.01)
    elif action == "kill all":
        os.killpg(0, signal.SIGKILL)
    elif action == "kill":
        if fault["moment"] == "half":
            os.truncate(arguments[0], os.stat(arguments[0]).st_size // 2)
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        subprocess.run(action, shell=True, env=os.environ | {"FAULT": "null"}, check=False)


if FAULT:
    sys.addaudithook(watch)
