"""``make docs``: write the schema that editors use and the pages that are made of the code."""

import json
from pathlib import Path

from spectral_capacity.config.parse import json_schema
from spectral_capacity.config.reference import figures, keys

Path("config/schema.json").write_text(json.dumps(json_schema(), indent=2) + "\n")
for name, make in (("config/README.md", keys), ("docs/figures.md", figures)):
    page = Path(name)
    page.write_text(make(page.read_text()))
