"""Pages of the documentation as programs: their files, commands and snippets, in order."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.workflow.conftest import ROOT, Workflow

NAMED = r"# ([\w./]+\.\w+)"


def blocks(page: str) -> list[tuple[str, str]]:
    """(language, text) of every fenced block of a page, by its path from the root of the repository."""
    return re.findall(r"```(\w+)\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def play(page: str, workflow: Workflow, skip: str | None = None) -> str:
    """Do what a page says, in a tree: write its files, run its commands and snippets; all that was printed.

    A block of YAML or Python whose first line is a comment with the name of a file is that file. Commands
    in which the pattern ``skip`` is found are left out.
    """
    bin_folder = workflow.folder / ".venv"
    if not bin_folder.exists():
        bin_folder.symlink_to(sys.prefix)
    printed = []
    for language, text in blocks(page):
        named = re.match(NAMED, text)
        if named:
            file = workflow.folder / named[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        elif language == "yaml":
            raise ValueError(f"{page}: a block of YAML without the name of its file:\n{text}")
        elif language == "python":
            printed.append(run([sys.executable, "-c", text], workflow))
        elif language == "sh":
            lines = [line for line in text.splitlines() if not (skip and re.search(skip, line))]
            printed.append(run(["bash", "-ec", "\n".join(lines)], workflow))
    return "\n".join(printed)


def run(command: list[str], workflow: Workflow) -> str:
    """What a command printed, in a tree; it must end well."""
    # The copy's own package is found in the current folder.
    environment = workflow.environment | {"PYTHONPATH": str(workflow.folder)}
    done = subprocess.run(
        command,
        cwd=workflow.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}"
    return done.stdout
