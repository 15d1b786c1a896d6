"""The tables of docs/fields.md, made from the survey's own: run this file to write them anew."""

import re
from collections.abc import Mapping
from pathlib import Path

from ampeld.alert.fields import Field
from ampeld.alert.survey import LSST, ZTF, Survey
from ampeld.channel.common import FORCED, common_names

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fields.md"

_TYPES = {"float": "number", "int": "integer", "string": "text", "bool": "condition"}
_MARKED = re.compile(r"(<!-- (?P<name>[a-z.A-Z_]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def _fields(fields: tuple[Field, ...]) -> list[str]:
    rows = [
        f"| `{field.name}` | {_TYPES[field.kind]} | {'yes' if field.nullable else ''} | {field.unit_doc} |"
        for field in fields
    ]
    return ["| field | type | may be missing | meaning |", "|---|---|---|---|", *rows]


def _common(kind: str) -> list[str]:
    """Return what the common names of one kind mean in each survey."""
    parts = {survey: common_names(survey, _part(survey, kind)) for survey in (ZTF, LSST)}
    names = list(dict.fromkeys(name for part in parts.values() for name in part))
    rows = [f"| `{name}` | {' | '.join(_meaning(part, name) for part in parts.values())} |" for name in names]
    return ["| name | ZTF | LSST |", "|---|---|---|", *rows]


def _part(survey: Survey, kind: str) -> str:
    return {"own": survey.own, "forced": FORCED[survey.name]}.get(kind, kind)


def _meaning(part: Mapping[str, object], name: str) -> str:
    return getattr(part.get(name), "doc", "")


def tables() -> dict[str, list[str]]:
    """Return every table of the page by the name of its place."""
    found = {f"common.{kind}": _common(kind) for kind in ("own", "limits", "forced")}
    for survey in (ZTF, LSST):
        for part, fields in {**survey.records, **survey.histories}.items():
            found[f"{survey.name}.{part or 'root'}"] = _fields(fields)
    return found


def render(page: str) -> str:
    """Return the page with its tables as they have to be."""
    made = tables()
    return _MARKED.sub(lambda match: match[1] + "\n".join(made[match["name"]]) + "\n" + match[3], page)


def shown(page: str) -> set[str]:
    """Return the names of the tables that a page has a place for."""
    return {match["name"] for match in _MARKED.finditer(page)}


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text()))
