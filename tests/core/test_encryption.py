"""AesGcm: what was sealed opens with its own secret, in its own place, and unchanged."""

import pytest

from powauth import ConfigurationError
from powauth.encryption import AesGcm

OLD, NEW = "a5a1f0c39e6b4d7288e0d1c2b3f49687", "0d6f3a58c1b94e7a92f5d08b6e3c17a4"


def test_what_is_sealed_opens_in_its_place_and_is_never_sealed_alike() -> None:
    sealing = AesGcm(NEW)
    sealed = [sealing.seal(b"secret", context=b"here") for _ in range(100)]
    assert len(set(sealed)) == 100
    assert not any(b"secret" in each for each in sealed)
    assert {sealing.open(each, context=b"here") for each in sealed} == {b"secret"}


def test_nothing_opens_in_another_place() -> None:
    sealing = AesGcm(NEW)
    with pytest.raises(ValueError, match="moved"):
        sealing.open(sealing.seal(b"secret", context=b"here"), context=b"there")


def test_nothing_opens_that_was_changed_anywhere() -> None:
    sealing = AesGcm(NEW)
    sealed = sealing.seal(b"secret", context=b"here")
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(ValueError, match="sealed"):
            sealing.open(changed, context=b"here")
        with pytest.raises(ValueError, match="sealed"):
            sealing.open(sealed[:at], context=b"here")


def test_a_new_secret_seals_and_the_old_one_still_opens() -> None:
    """S19."""
    old, both, new = AesGcm(OLD), AesGcm(NEW, OLD), AesGcm(NEW)
    assert both.open(old.seal(b"old", context=b""), context=b"") == b"old"
    assert new.open(both.seal(b"new", context=b""), context=b"") == b"new"
    with pytest.raises(ValueError, match="does not list"):
        new.open(old.seal(b"old", context=b""), context=b"")


@pytest.mark.parametrize("secrets", [(), ("short",), ("a" * 40,), ("changeme" * 8,), (NEW, NEW)])
def test_poor_secrets_are_refused(secrets: tuple[str, ...]) -> None:
    """S57."""
    with pytest.raises(ConfigurationError, match="AesGcm: secret"):
        AesGcm(*secrets)


def test_no_secret_is_shown() -> None:
    """S69."""
    assert NEW not in repr(AesGcm(NEW)) + repr(vars(AesGcm(NEW)))
