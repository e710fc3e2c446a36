import numpy as np
import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks.watermark import message


def test_every_id_comes_back() -> None:
    chance = np.random.default_rng(5)
    ids = ["00000000", "ffffffff", *(f"{value:08x}" for value in chance.integers(1 << 32, size=40))]
    assert [message.decode(message.encode(each).astype(np.float32))[0] for each in ids] == ids


def test_one_code_bit_in_six_may_be_wrong() -> None:
    chance = np.random.default_rng(5)
    for _ in range(20):
        soft = message.encode("1badcafe").astype(np.float32)
        soft[chance.permutation(message.CODE_BITS)[: message.CODE_BITS // 6]] *= -0.4
        assert message.decode(soft)[0] == "1badcafe"


def test_a_message_whose_checksum_fails_is_no_id() -> None:
    wrong = message._convolved(0x1BADCAFE << 16 | 0x1234)
    mark_id, signs = message.decode(wrong.astype(np.float32))
    assert not mark_id
    assert (signs == wrong).all()


@pytest.mark.parametrize("wrong", ["", "1badcaf", "1badcafe0", "1BADCAFE", "0x1badca", "1badcafe\n", "１badcafe"])
def test_an_id_is_eight_hex_digits(wrong: str) -> None:
    with pytest.raises(Invalid, match="8 hex digits"):
        message.encode(wrong)
