"""The worked example of docs/integrating.md is a spec that loads and does what the page says."""

import re
from pathlib import Path

from backfills.domain import spec

PAGE = Path(__file__).parents[2] / "docs" / "integrating.md"


def test_the_worked_example_is_a_valid_spec():
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    invoices = spec.load_set({"invoices.yaml": example})["invoices"]
    assert invoices.title == "Invoices"
    assert [rule.name for rule in invoices.rules] == ["test_invoice", "without_amount"]
    assert set(invoices.source_columns) == {"inv_no", "inv_dt", "cur_cd", "net_amt", "paid_flg", "memo"}
