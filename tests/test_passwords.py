"""Passwords are kept so that they can be checked and not be read."""

import pytest

from heygem.passwords import check_kept, hash_password, is_password


def test_the_right_password_is_known_and_no_other():
    kept = hash_password("пароль 密码")
    assert "密码" not in kept
    assert is_password("пароль 密码", kept)
    assert not is_password("пароль 密码 ", kept) and not is_password("", kept)


def test_no_two_hashes_of_a_password_are_alike():
    assert hash_password("x") != hash_password("x")


GOOD = "scrypt$16384$8$1$/VcGvj2XrnjGehCdC7LEAg==$tlokXgTiJLDCEPfyIx+Q3IPDE1xZC4+brBfPrPpZk+A="
"""Of "x"; written down, because the names of tests are made of it."""


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "x",
        GOOD.replace("scrypt", "md5"),
        GOOD.replace("16384", "1"),
        GOOD.replace("16384", str(2**30)),
        GOOD.replace("16384", "16385"),
        GOOD.rpartition("$")[0] + "$",
        GOOD.rpartition("$")[0] + "$***",
    ],
)
def test_what_is_no_hash_is_an_error_and_never_a_match(kept):
    assert is_password("x", GOOD)
    with pytest.raises(ValueError):
        check_kept(kept)
    with pytest.raises(ValueError):
        is_password("x", kept)
