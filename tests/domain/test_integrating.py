"""The worked examples of docs/integrating.md load and do what the page says."""

import re
from pathlib import Path

from backfills.domain import spec
from backfills.domain.language import FUNCTIONS
from backfills.domain.target_types import TARGET_TYPES
from entitlements.domain import matrix
from parity_reports.domain import reads

PAGE = Path(__file__).parents[2] / "docs" / "integrating.md"


def examples(form: str) -> str:
    found = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (example,) = [one for one in found if f"format: {form}/" in one]
    return example


def test_the_worked_example_is_a_valid_spec():
    example = examples("crossing-mapping")
    invoices = spec.load_set({"invoices.yaml": example})["invoices"]
    assert invoices.title == "Invoices"
    assert [rule.name for rule in invoices.rules] == ["test_invoice", "without_amount"]
    assert set(invoices.source_columns) == {"inv_no", "inv_dt", "cur_cd", "net_amt", "paid_flg", "memo"}


def test_the_worked_reads_are_valid_where_the_mapping_takes_the_column_over():
    mapping = examples("crossing-mapping")
    for there, also in (
        ("    memo: {class", "    cust_no: {class: public}\n    memo: {class"),
        ("  number: {is", "  customer_number: {is: cust_no, type: text, class: public}\n  number: {is"),
    ):
        assert there in mapping
        mapping = mapping.replace(there, also, 1)
    specs = spec.load_set({"invoices.yaml": mapping})
    found = reads.load_set({"reads/invoices.yaml": examples("crossing-reads")}, specs=specs)["invoices"]
    assert [(read.name, read.by, read.at_most) for read in found] == [
        ("one", "", 1),
        ("of_a_customer", "customer_number", 200),
    ]


def test_the_worked_matrix_is_valid():
    entitlements = matrix.load(examples("crossing-entitlements"))
    assert entitlements.plans["GOLD"].limits["people"].apply({"seats": 4}) == 10
    assert entitlements.addons["FAX"].retired == "The new platform sends no fax."


def test_the_page_tells_of_every_function_and_type_that_there_is():
    page = PAGE.read_text(encoding="utf-8")
    table = page.split("### What an expression can say")[1].split("###")[0]
    assert set(re.findall(r"`(\w+)\(", table)) - {"coalesce"} == set(FUNCTIONS) - {"coalesce"}
    assert "`coalesce(a, b, …)`" in table
    types = page.split("- `type` is one of ")[1].split(";")[0]
    assert all(f"`{kind}" in types for kind in TARGET_TYPES)
