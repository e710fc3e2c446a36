import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from avatar_scheduler.domain.version import canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, VALUES, max_size=6))
def test_it_writes_what_rfc_8785_asks(value: dict[str, object]) -> None:
    assert canonical(value).encode() == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0.5, 2**53, b"x", {1: "x"}, {"a": [1.0]}])
def test_it_refuses_what_has_no_one_form(value: object) -> None:
    with pytest.raises(ValueError, match=r"\$\.v"):
        canonical({"v": value})
