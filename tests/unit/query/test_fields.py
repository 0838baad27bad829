"""The tables of fields, and the documents that are made from them."""

from pathlib import Path

import pytest

from callboard.query import EXAMPLE_FIELDS, RUN_FIELDS, THREAD_FIELDS, parse
from callboard.query.syntax import OPERATORS

TABLES = {"runs": RUN_FIELDS, "threads": THREAD_FIELDS, "examples": EXAMPLE_FIELDS}
PAGE = Path(__file__).parents[3] / "docs" / "filters.md"


def table(*rows):
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def quoted(names):
    return ", ".join(f"`{name}`" for name in names)


def fields_table(fields):
    rows = ((quoted((row.name, *row.aliases)), row.type.name, row.about) for row in fields)
    return table(("Field", "Type", "What it is"), ("---",) * 3, *rows)


def types_table():
    types = dict.fromkeys(row.type for fields in TABLES.values() for row in fields)
    rows = ((each.name, each.takes, quoted(each.operators)) for each in types)
    return table(("Type", "Takes", "Operators"), ("---",) * 3, *rows)


def page():
    return PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("of", TABLES)
def test_the_page_has_the_table_of_fields(of):
    assert fields_table(TABLES[of]) in page()


def test_the_page_has_the_table_of_types():
    assert types_table() in page()


def test_the_page_tells_of_every_operator():
    told = page()
    assert [operator for operator in OPERATORS if f"`{operator}(" not in told] == []


@pytest.mark.parametrize("of", TABLES)
def test_a_table_says_what_it_is_of_and_names_each_field_once(of):
    fields = TABLES[of]
    assert fields.of == of
    names = [name for field in fields for name in (field.name, *field.aliases)]
    assert sorted(names) == sorted(set(names)) == sorted(fields.names)
    assert all(fields.get(name) in fields.rows for name in names)


@pytest.mark.parametrize("of", TABLES)
def test_an_operator_of_a_field_is_an_operator(of):
    used = {operator for field in TABLES[of] for operator in field.type.operators}
    assert used <= set(OPERATORS)


EXAMPLES = {
    "a number": "1",
    "text": "x",
    "text or a number": "x",
    "a UUID": "00000000-0000-0000-0000-000000000001",
    "true or false": "true",
}


@pytest.mark.parametrize("of", TABLES)
def test_every_operator_of_every_field_is_read(of):
    for field in TABLES[of]:
        value = EXAMPLES.get(field.type.takes, "2026-11-21" if "time" in field.type.takes else "5s")
        for operator in field.type.operators:
            given = f"[{value}]" if operator == "in" else value
            if operator == "has" and field.entry is not None:
                given = "'{\"a\": 1}'"
            parse(f"{operator}({field.name}, {given})", TABLES[of])


def test_each_kind_of_entry_has_a_key_and_only_times_and_numbers_and_names_sort():
    for kind in ("metadata", "feedback", "input", "output"):
        assert RUN_FIELDS.key_of(kind).name == f"{kind}_key"
        assert RUN_FIELDS.value_of(kind).name == f"{kind}_value"
    assert not [row.name for row in RUN_FIELDS if row.sortable and row.entry]
