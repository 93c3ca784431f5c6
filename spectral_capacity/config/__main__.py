"""``python -m spectral_capacity.config > config/schema.json``: the schema that editors use."""

import json

from spectral_capacity.config import json_schema

print(json.dumps(json_schema(), indent=2))
