"""What astropy writes about the columns of a table: above an ECSV file, and into the metadata of a Parquet file."""

from collections.abc import Sequence

from astropy.table.meta import YamlParseError, get_header_from_yaml


def said_of_columns(lines: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return by column its ``unit`` and ``description``; nothing when the lines do not say.

    Parameters
    ----------
    lines
        The description as YAML.
    """
    try:
        header = get_header_from_yaml(list(lines))
    except (YamlParseError, ValueError, TypeError, KeyError):
        return {}
    return {
        column["name"]: {key: str(column.get(key) or "") for key in ("unit", "description")}
        for column in header.get("datatype", [])
    }
