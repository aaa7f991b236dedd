"""Hashes of other systems. The vectors were made by those systems: libpass 1.9, werkzeug 3.1, Django 5.2, bcrypt 5."""

import re
from contextlib import closing
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powauth.bcrypt import BcryptHashes
from powauth.passwords import FlaskSecurityHashes, ForeignHash, Hasher, Passwords, Pepper, Verdict
from powauth.passwords.foreign import STANDARD, fault, read_scrypt

pytestmark = pytest.mark.anyio

TINY = Passwords(memory=8, time=1, threads=1, foreign=[BcryptHashes()])
PASSWORD = "correct horse bättery"

HASHES = {
    "Pow": "$pbkdf2-sha512$100000$yMnKy8zNzs/Q0dLT1NXW1w==$6OP9J406pXnBZ9DqH6r30x0HQW8ZVXQFOXhmmhuktWDFMpPuzxwK48Fiz"
    "o73UEPb8AZMADrDiAUOs5oxFTUg7A==",
    "passlib pbkdf2-sha1": "$pbkdf2$1000$5by3lnKutRZiLOVcKyWEUA$WyyK.ei0UIN3Ep48HStLNhmN/Lo",
    "passlib pbkdf2-sha256": "$pbkdf2-sha256$1000$EeJ8LwWA0LqXMgbA.H9vjQ$kAMyqQdVVAUEaAAlDKacs3QTNaPV1yqMfUW6bHZ09io",
    "passlib pbkdf2-sha512": "$pbkdf2-sha512$1000$ttZ6z/k/p7RWao2xVmot5Q$2ucJisdsOl9P9yiw6mJJm21IbYjwthm9x9tPEIPJ0xT"
    "12CIidk/uQj8DyW7zBKCMUsNmjLt4m.Uy1pie0to2.g",
    "passlib scrypt": "$scrypt$ln=8,r=8,p=1$TSkFYCyldC6l1NrbO8c4pw$PgS5vBKvm7qTJHOX5leqk6eAKb3R2ITg1E4QLUQeeE4",
    "passlib argon2": "$argon2id$v=19$m=64,t=1,p=2$+P/f+3+P8R7jXAvBmLOWcg$OU3UsorKVnNwQ3JIbylJcnpXMjCPaGsObSygUp0jefg",
    "werkzeug pbkdf2-sha1": "pbkdf2:sha1:1000$ML53guNugF80aFLD$9d4d0af5f9bb7569c041d5c4849c3e773137b7c9",
    "werkzeug pbkdf2-sha256": "pbkdf2:sha256:1000$8sGNtpAfKOPgPjs8$94e26dd75251dbb99bf1fbc3a6bb419f08212c8d4cecdf1ed"
    "617832bd76a0056",
    "werkzeug pbkdf2-sha512": "pbkdf2:sha512:1000$UdoZVsZpbCz2oFm1$5c1984a1ed24b8acda21e29005904fa716063e0ec30c1db4d"
    "4097434c91b42efb0355c890f80a59ce99fc3d83db9fb15013b92ca4aecd091717a2659ba53f224",
    "werkzeug scrypt": "scrypt:32768:8:1$GC0mvnDNC3w3Go3I$d8a0940eaf68a5dc2dbecdc06fd15b82d1e01dea2314511cd11c54b224"
    "e8a3dc9ac80ba30cdc1d529089b5eadfbcc10f8de40b5b11c12ba7ff576681e7f1f3de",
    "Django pbkdf2-sha256": "pbkdf2_sha256$1000$saltysalt12$cfaILs6VOnh0ZYtUVli1KaJXnofeHxQuvkdGy3JuTeM=",
    "Django pbkdf2-sha1": "pbkdf2_sha1$1000$saltysalt12$dE0hxpoOq38uIxfbWNfiFiLq6OQ=",
    "Django scrypt": "scrypt$16384$saltysalt12$8$5$abdhI1g86VHTMiFLTMFyy8diyAr7UkHxpGdhE9GGSLjbCeA2FZukqgZ8YeU/gVQ5G"
    "OWUee3XUQn7fsJUFIReVQ==",
    "Django argon2": "argon2$argon2id$v=19$m=64,t=1,p=1$c2FsdHlzYWx0MTI$9NwSeSroYXpWTNooAY6bQSd0LCb2b9F7T4M4mAAfX+M",
    "Django bcrypt": "bcrypt$$2b$04$QdoqfeVIJ5k5/L.aeC.S6ey5N4gXZAu9fJTDwBTHfIKsDyh8T1UyK",
    "Django bcrypt-sha256": "bcrypt_sha256$$2b$04$0LgMOp58MWcFi.1GIgWtBeojmxRdpEAg3BI/JlceGYtVTXbdaTUAy",
    "argon2i": "$argon2i$v=19$m=64,t=2,p=2$c29tZXNhbHQxMjM0NTY3OA$DGnNR1+pEpeVE1Vqx0/b04iLd18mfgnz",
    "argon2i 1.0": "$argon2i$v=16$m=64,t=2,p=2$c29tZXNhbHQxMjM0NTY3OA$4vfEjJjY8bkdWAuXR7pn84yt/dZ9zuvB",
    "argon2d": "$argon2d$v=19$m=64,t=2,p=2$c29tZXNhbHQxMjM0NTY3OA$NxuXEy18Eny6tRWffIv8XrTrRNcmA/Gb",
    "argon2id": "$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHQxMjM0NTY3OA$4OKpsbtHJZv3sCngqvXkvWC+4kAKkdEY",
    "bcrypt 2a": "$2a$04$2yZNg07U14LcfDTccYkvfe4X8UqFLpDxjz8FE/FJegy91wglbQKy6",
    "bcrypt 2b": "$2b$04$SN9LSLU.nLX7cvNh7n9EL.SerT/r.0XToSLzEtjlY3ipeKGULW8sG",
    "bcrypt 2y (PHP)": "$2y$04$O2nkNMNONRui5ECL7H66numJJcpOft.o8/XMfniUZZSHFBc8q0rta",
}
CHEAP = [hash for name, hash in HASHES.items() if name not in {"Pow", "werkzeug scrypt", "Django scrypt"}]


@pytest.mark.parametrize("hash", HASHES.values(), ids=HASHES)
def test_a_hash_that_can_be_verified_is_sound_and_with_a_crafted_cost_it_is_not(hash: str) -> None:
    """S6."""
    families = (BcryptHashes(), FlaskSecurityHashes(salt="salt", inner=[BcryptHashes()]))
    crafted = re.sub(r"(?<![A-Za-z0-9])(1000|100000|32768|16384|m=64|ln=8|04)(?=[$:,])", inflated, hash, count=1)
    assert crafted != hash
    for mark in ("", "flask-security$", "flask-security-single$"):
        assert fault(mark + hash, families) is None
        assert fault(mark + crafted, families) == "unsound"


def inflated(cost: re.Match[str]) -> str:
    return {"m=64": "m=99999999", "ln=8": "ln=30", "04": "31"}.get(cost[1], "999999999")


@given(st.text(), st.text())
def test_whatever_stands_behind_flask_security_s_mark_raises_nothing(password: str, hash: str) -> None:
    family = FlaskSecurityHashes(salt="salt", inner=[BcryptHashes()])
    assert not family.verify(password.encode(errors="replace"), f"flask-security${hash}")


async def judged(password: str, hash: str, settings: Passwords = TINY) -> tuple[Verdict, int]:
    with closing(Hasher(settings)) as hasher:
        return await hasher.verify(password, hash, client="192.0.2.1"), hasher.verifications


@pytest.mark.parametrize("hash", HASHES.values(), ids=HASHES)
async def test_a_foreign_hash_verifies_and_is_replaced(hash: str) -> None:
    """S5."""
    assert await judged(PASSWORD, hash) == (Verdict(ok=True, rehash=True), 0)


@pytest.mark.parametrize("hash", HASHES.values(), ids=HASHES)
async def test_a_wrong_password_costs_a_current_verification_besides(hash: str) -> None:
    """S10."""
    assert await judged("wrong", hash) == (Verdict(ok=False), 1)


@pytest.mark.parametrize("password", ["correct horse bättery\0", "x" * 4097])
async def test_what_is_no_password_is_none_in_another_system_either(password: str) -> None:
    """S3, S4: bcrypt as PHP has it would stop at the NUL."""
    assert await judged(password, HASHES["bcrypt 2y (PHP)"]) == (Verdict(ok=False), 1)


async def test_a_hash_that_another_system_made_of_two_marks_is_verified_as_it_was_typed() -> None:
    as_typed = "$pbkdf2-sha256$1000$AAAAAAAAAAAAAAAAAAAAAA$XqY68LZ034Fi4jNvx/gbyj4EIVU5hmXjuyd/nQkGvHE"
    assert (await judged("cafe\u0301 au lait", as_typed))[0].ok


async def test_pepper_of_ours_is_put_on_when_a_foreign_hash_is_replaced() -> None:
    """S6: foreign hashes never had it."""
    peppered = replace(TINY, peppers=[Pepper("first", "1" * 32)])
    assert await judged(PASSWORD, HASHES["argon2id"], peppered) == (Verdict(ok=True, rehash=True), 0)
    assert await judged(PASSWORD, HASHES["bcrypt 2b"], peppered) == (Verdict(ok=True, rehash=True), 0)


async def test_without_the_extra_bcrypt_is_nobodys_password() -> None:
    assert await judged(PASSWORD, HASHES["bcrypt 2b"], replace(TINY, foreign=[])) == (Verdict(ok=False), 1)


async def test_an_application_brings_hashes_of_its_own() -> None:
    @dataclass(frozen=True)
    class Reversed:
        def recognises(self, hash: str) -> bool:
            return hash.startswith("reversed:")

        def verify(self, password: bytes, hash: str) -> bool:
            return password[::-1].decode() == hash.removeprefix("reversed:")

    settings = replace(TINY, foreign=[Reversed()])
    assert await judged("stressed", "reversed:desserts", settings) == (Verdict(ok=True, rehash=True), 0)


# ---- bcrypt ----


async def test_a_password_longer_than_bcrypt_reads_is_refused_unless_the_old_system_cut_it() -> None:
    """S3: nothing is truncated silently; whoever moves in from a system that did has to say so."""
    long = "é" * 40
    hash = "$2b$04$it4pTV/BlIiSQeTSbX.c9.svPnVN.9LXejXqHrK5AKar.B9gjMzGy"

    cut = replace(TINY, foreign=[BcryptHashes(truncates=True)])
    assert not (await judged(long, hash))[0].ok
    assert (await judged(long, hash, cut))[0] == Verdict(ok=True, rehash=True)
    assert not (await judged("é" * 35, hash, cut))[0].ok


async def test_the_pepper_of_devise_is_appended() -> None:
    hash = "$2a$04$HybLh/3j7nk4dXU5gXVhDOMTEr7wEULMrp3U4A2Vu.UDv/Hh7X98C"
    devise = replace(TINY, foreign=[BcryptHashes(pepper="pepper-of-devise-0123456789")])

    assert (await judged(PASSWORD, hash, devise))[0].ok
    assert not (await judged(PASSWORD, hash))[0].ok
    assert "devise" not in repr(devise)


# ---- rows that nobody can trust ----

EXPENSIVE = {
    "iterations": "$pbkdf2-sha256$5000001$AAAAAAAAAAAAAAAAAAAAAA$kAMyqQdVVAUEaAAlDKacs3QTNaPV1yqMfUW6bHZ09io",
    "blocks": "$pbkdf2-sha1$2500000$AAAA$" + "A" * 86,
    "scrypt memory": "$scrypt$ln=19,r=8,p=1$AAAA$PgS5vBKvm7qTJHOX5leqk6eAKb3R2ITg1E4QLUQeeE4",
    "scrypt passes": "$scrypt$ln=14,r=8,p=99$AAAA$PgS5vBKvm7qTJHOX5leqk6eAKb3R2ITg1E4QLUQeeE4",
    "argon2 memory": "argon2$argon2id$v=19$m=999999999,t=1,p=1$c2FsdHlzYWx0MTI$9NwSeSroYXpWTNooAY6bQSd0LCb2b9F7T4M4",
    "bcrypt cost": "$2b$31$SN9LSLU.nLX7cvNh7n9EL.SerT/r.0XToSLzEtjlY3ipeKGULW8sG",
}
MALFORMED = {
    "no iterations": "pbkdf2_sha256$0$salt$cfaILs6VOnh0ZYtUVli1KaJXnofeHxQuvkdGy3JuTeM=",
    "a digest short enough to guess": "pbkdf2_sha256$1000$salt$WPWX2uJ/oBfJ8JPD2Qgh",
    "no digest": "$pbkdf2-sha512$1000$AAAA$",
    "another algorithm": "pbkdf2:md5:1000$salt$9d4d0af5f9bb7569c041d5c4849c3e77",
    "no hexadecimal": "pbkdf2:sha1:1000$salt$zz",
    "no base64": "$pbkdf2-sha512$1000$AAAA$*************************",
    "no power of two": "scrypt:1000:8:1$salt$9fcc43791f03cec0023ba03d45f252ad",
    "N too large for r": "scrypt:131072:1:1$salt$9fcc43791f03cec0023ba03d45f252ad",
    "too little memory": "$argon2id$v=19$m=7,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$4OKpsbtHJZv3sCngqvXkvWC+4kAKkdEY",
    "Arabic digits": "pbkdf2_sha256$\u0661\u0660\u0660\u0660$salt$cfaILs6VOnh0ZYtUVli1KaJXnofeHxQuvkdGy3JuTeM=",
    "bcrypt cut short": "$2b$04$SN9LSLU.nLX7cvNh7n9EL.SerT",
    "bcrypt cost of one digit": "$2b$4$SN9LSLU.nLX7cvNh7n9EL.SerT/r.0XToSLzEtjlY3ipeKGULW8sGx",
    "very long": "$pbkdf2-sha512$1000$" + "A" * 100_000,
}


@pytest.mark.parametrize("hash", EXPENSIVE.values(), ids=EXPENSIVE)
async def test_a_row_cannot_stall_the_process(hash: str) -> None:
    assert await judged(PASSWORD, hash) == (Verdict(ok=False), 1)


@pytest.mark.parametrize("cost", ["ln=19,r=8,p=1", "ln=14,r=8,p=65", "ln=14,r=0,p=1", "ln=14,r=8,p=0", "ln=0,r=8,p=1"])
def test_scrypt_is_not_computed_out_of_bounds(cost: str) -> None:
    within, beyond = (
        read_scrypt(f"$scrypt${written}$AAAA$PgS5vBKvm7qTJHOX5leqk6eAKb3R2ITg1E4QLUQeeE4")
        for written in ("ln=14,r=8,p=64", cost)
    )
    assert within is not None
    assert within.is_affordable
    assert beyond is not None
    assert not beyond.is_affordable


@pytest.mark.parametrize("hash", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_hash_is_nobodys_password(hash: str) -> None:
    assert await judged(PASSWORD, hash) == (Verdict(ok=False), 1)


@given(st.sampled_from(CHEAP), st.integers(min_value=0), st.sampled_from([*"$=+:Zé\n\0", ""]))
@settings(deadline=None, max_examples=300)
def test_a_hash_with_one_letter_changed_never_raises(hash: str, place: int, letter: str) -> None:
    place %= len(hash)
    changed = hash[:place] + letter + hash[place + 1 :]
    families: tuple[ForeignHash, ...] = (*STANDARD, BcryptHashes())

    assert not any(family.verify(b"wrong", changed) for family in families if family.recognises(changed))
