"""Write docs/config.schema.json, the JSON schema of config.toml: `python docs/config_schema.py`."""

import json
from pathlib import Path

from charrnn_tui.run.config import json_schema

FILE = Path(__file__).with_name("config.schema.json")


def written() -> str:
    """The schema as the settings are declared now."""
    return json.dumps(json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
