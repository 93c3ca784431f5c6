"""``python -m spectral_capacity.config schema``: the schema that editors use; see ``make schema``."""

import json

from spectral_capacity.config.parse import json_schema

print(json.dumps(json_schema(), indent=2))
