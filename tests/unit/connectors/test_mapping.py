from __future__ import annotations

from connectors.mapping import field_mapping

TEXT = {"type": "text", "fields": {"raw": {"type": "keyword"}}}
MAPPINGS = {"properties": {"a": {"properties": {"b": TEXT}}, "c": {"type": "date"}}}


def test_a_dotted_field_is_found_inside_its_object() -> None:
    assert field_mapping(MAPPINGS, "a.b") == TEXT
    assert field_mapping(MAPPINGS, "c") == {"type": "date"}
    assert field_mapping(MAPPINGS, "a.x") is None
    assert field_mapping(MAPPINGS, "c.b") is None
    assert field_mapping({}, "a") is None


def test_a_dotted_field_is_found_among_the_further_fields_of_another() -> None:
    assert field_mapping(MAPPINGS, "a.b.raw") == {"type": "keyword"}
    assert field_mapping(MAPPINGS, "a.b.other") is None
