"""``python -m spectral_capacity.config``: check files laid over the default, or write pages made of the code.

``check mine.yaml`` says what is wrong in it, with line and column where it is no YAML at all, which
Snakemake does not say. ``docs`` (``make docs``) writes the schema that editors use and the generated pages.
"""

import argparse
import json
import sys
from pathlib import Path

from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.parse import json_schema, merged, parse
from spectral_capacity.config.reference import figures, keys


def check(files: list[str]) -> None:
    """Exit with a message unless these files, each laid over the one before, can be used."""
    if not Path(files[0]).is_file():
        sys.exit(f"{files[0]}: no such file; run this in the folder of the Snakefile")
    try:
        config = parse(merged(files))
    except (ConfigError, OSError) as error:
        sys.exit(str(error))
    drawn = config.drawn(config.selected)
    print(f"experiments: {', '.join(config.selected)}")
    print(f"figures: {', '.join(drawn) or 'none'}")
    others = config.figures.drawn().keys() & config.figures.model_fields_set - drawn.keys()
    if others:
        print(f"not drawn, since what they show is not run: {', '.join(sorted(others))}")


def docs() -> None:
    """Write the schema and the pages."""
    Path("config/schema.json").write_text(json.dumps(json_schema(), indent=2) + "\n")
    for name, make in (("config/README.md", keys), ("docs/figures.md", figures)):
        page = Path(name)
        page.write_text(make(page.read_text()))


def main(arguments: list[str] | None = None) -> None:
    """Run a command; None: that of the process."""
    parser = argparse.ArgumentParser(prog="python -m spectral_capacity.config")
    commands = parser.add_subparsers(required=True)
    checking = commands.add_parser("check", help="say what is wrong in a configuration")
    checking.add_argument("files", nargs="*", help="laid over config/config.yaml, in this order")
    checking.set_defaults(run=lambda given: check(["config/config.yaml", *given.files]))
    commands.add_parser("docs", help="write pages made of the code").set_defaults(
        run=lambda given: docs()
    )
    given = parser.parse_args(arguments)
    given.run(given)


if __name__ == "__main__":
    main()
