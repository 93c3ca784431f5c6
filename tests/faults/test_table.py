from pathlib import Path

import pytest

from tests.faults import table

PAGE = Path(__file__).parents[2] / "docs/reliability.md"


@pytest.mark.parametrize("make", [table.table, table.inputs])
def test_the_page_has_the_table_of_the_campaign(make):
    """``python -m tests.faults.table`` prints it."""
    assert f"\n{make()}\n" in PAGE.read_text()
