"""T17: no form and no body takes a column nobody listed, whatever table it is of."""

import sys
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import ValidationError
from sqlmodel import SQLModel

from avatar_scheduler.web.forms import Strict

STREAMED = frozenset({"/uploads", "/verify"})
"""Read piece by piece as they arrive, with names of their own: tests/web/test_uploads.py, test_verify.py."""


def models(kind: type[Strict] = Strict) -> Iterator[type[Strict]]:
    for model in kind.__subclasses__():
        yield model
        yield from models(model)


def columns() -> set[str]:
    return {column.name for table in SQLModel.metadata.tables.values() for column in table.columns}


def test_every_column_of_every_table_is_refused_by_every_form(app: FastAPI) -> None:
    tried, found = 0, set(models())
    for model in found:
        for column in columns() - set(model.model_fields) - {f.alias for f in model.model_fields.values()}:
            with pytest.raises(ValidationError) as wrong:
                model.model_validate({column: "x"})
            assert ("extra_forbidden", (column,)) in {(e["type"], e["loc"]) for e in wrong.value.errors()}, model
            tried += 1
    sys.stdout.write(f"\n{len(found)} forms and bodies, {tried} columns refused\n")
    assert len(found) > 25
    assert tried > 3000


def test_every_route_that_takes_a_body_takes_one_of_them(app: FastAPI) -> None:
    taken = 0
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None) or getattr(getattr(route, "route", None), "dependant", None)
        if dependant is None or getattr(route, "path", "") in STREAMED:
            continue
        for parameter in dependant.body_params:
            assert issubclass(parameter.field_info.annotation, Strict), getattr(route, "path", "")
            taken += 1
    assert taken > 25
