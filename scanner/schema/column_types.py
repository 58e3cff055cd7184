"""Column types by how databases store them: which changes of a type leave the rows as they are."""

from __future__ import annotations

from assay.scanner.model.schema import SchemaColumn

_STORED_AS = {
    "text": (
        "CharField", "TextField", "SlugField", "EmailField", "URLField", "FilePathField", "FileField", "ImageField",
        "CICharField", "String", "Text", "Unicode", "UnicodeText", "VARCHAR", "TEXT", "AutoString", "CHAR VARYING",
    ),
    "int": ("IntegerField", "PositiveIntegerField", "AutoField", "Integer", "INTEGER", "INT", "SERIAL"),
    "bigint": ("BigIntegerField", "PositiveBigIntegerField", "BigAutoField", "BigInteger", "BIGINT", "BIGSERIAL"),
    "smallint": ("SmallIntegerField", "PositiveSmallIntegerField", "SmallAutoField", "SmallInteger", "SMALLINT"),
    "boolean": ("BooleanField", "NullBooleanField", "Boolean", "BOOLEAN"),
    "float": ("FloatField", "Float", "FLOAT", "DOUBLE"),
    "decimal": ("DecimalField", "Numeric", "DECIMAL", "NUMERIC"),
    "date": ("DateField", "Date", "DATE"),
    "timestamp": ("DateTimeField", "DateTime", "TIMESTAMP", "TIMESTAMPTZ"),
    "uuid": ("UUIDField", "Uuid", "UUID"),
    "json": ("JSONField", "JSONB"),
    "plain json": ("JSON",),
}  # fmt: skip
_GROUPS = {name: group for group, names in _STORED_AS.items() for name in names}


def rewrites(before: SchemaColumn, type_: str, length: int | None) -> bool | None:
    """Whether a change to the type makes the database go through all rows; None where that can't be told."""
    old, new = _GROUPS.get(before.type), _GROUPS.get(type_)
    if before.type == type_ and before.length == length:
        return False
    if old is None or new is None:
        return False if before.type == type_ else None
    if old != new:
        return True
    # A text that may be longer than before is stored alike.
    return old == "text" and length is not None and (before.length is None or length < before.length)
