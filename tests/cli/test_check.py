"""`powauth check`: what is found in an application, and how it stands to the standards."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from powauth import Auth, Changes
from powauth.cli.sites import is_same_site
from tests.cli.shop import ADA, PASSWORD, Shop

MakeShop = Callable[..., Shop]

TWO_SECRETS = "['7c1e0f5a9d3b8264e2f7a1c09b5d3e86', 'b8264e2f7a1c09b5d3e867c1e0f5a9d3']"

GOOD = {
    "passwords": (
        "Passwords(min_length=15, peppers=[Pepper('1', 'k' * 32)], breach=Breaches(), breach_failure='refuse')"
    ),
    "extensions": "(Confirmed(), Told(), Reset(), SignUp(), SignIn(), ManageAccount(), SessionList(), Prove())",
    "trusted_proxies": "['10.0.0.0/8']",
    "more": """
class Breaches:
    async def counts(self, prefix):
        return {}

class Confirmed(Extension):
    name = "email_confirmation"

class Told(Extension):
    name = "security_mails"

class Reset(Extension):
    name = "reset_password"
""",
}


def found(shop: Shop, *options: str) -> dict[str, Any]:
    """Return what is found, by code; whatever the exit status is."""
    output = shop.run("check", "--json", *options).stdout
    return {finding["code"]: finding for finding in json.loads(output)["findings"]}


def standings(shop: Shop) -> dict[str, str]:
    """Return the status by identifier; of several, the last one's."""
    return {row["identifier"]: row["status"] for row in json.loads(shop.run("check", "--json").stdout)["requirements"]}


def test_an_application_that_leaves_nothing_out_is_only_told_what_holds_for_all(make_shop: MakeShop) -> None:
    result = make_shop(**GOOD).run("check", "--strict", "--json")
    findings = json.loads(result.stdout)["findings"]
    assert {finding["code"] for finding in findings} == {"readable_hashes", "single_factor"}
    assert result.exit_code == 0


FORGETFUL = (
    GOOD["more"]
    + """
class Forgetful(MemoryStore):
    may_lose_writes = True
"""
)
LATE = "SessionSettings(ends_known_within=__import__('datetime').timedelta(minutes=2))"
GRACE = (
    "__import__('powauth.extensions.email_confirmation', fromlist=['_'])"
    ".EmailConfirmation(grace=__import__('datetime').timedelta(days=1))"
)


@pytest.mark.parametrize(("lifetime", "is_long"), [("timedelta(days=30)", False), ("timedelta(days=31)", True)])
def test_a_device_may_be_remembered_for_30_days(make_shop: MakeShop, lifetime: str, *, is_long: bool) -> None:
    extensions = f"(SignUp(), SignIn(), SessionList(), RememberMe(lifetime={lifetime}))"
    more = "from datetime import timedelta\nfrom powauth.extensions.remember_me import RememberMe"
    shop = make_shop(extensions=extensions, more=more)
    findings = found(shop)
    assert ("long_remembered" in findings) is is_long
    assert "remembered_devices" in findings
    assert standings(shop)["NIST 2.1.3"] == ("not met" if is_long else "met by setting")


def test_a_provider_that_signs_in_silently_is_told(make_shop: MakeShop) -> None:
    github = "GitHub(client_id='i', client_secret='s')"
    extensions = "(SignUp(), SignIn(), Providers(providers=[" + github + "], signs_in_silently={}))"
    more = "from powauth.extensions.providers import Providers\nfrom powauth.providers import GitHub"
    assert "silent_sign_in" not in found(make_shop(extensions=extensions.format("[]"), more=more))
    assert "silent_sign_in" in found(make_shop(extensions=extensions.format("['github']"), more=more))


@pytest.mark.parametrize(
    ("settings", "code", "severity"),
    [
        ({"base_url": "'http://localhost:8000/auth'"}, "plain_http", "warn"),
        ({"cookies": "Cookies(domain='example.com')"}, "cookie_domain", "warn"),
        ({"origins": "['https://elsewhere.test']"}, "cross_site_origin", "warn"),
        ({"origins": "['http://app.example.com']"}, "plain_origin", "warn"),
        ({"trusted_proxies": "()"}, "no_trusted_proxies", "info"),
        ({"trusted_proxies": "['0.0.0.0/0']"}, "trusts_everybody", "warn"),
        ({"trusted_proxies": "['10.0.0.0/8', '::/0']"}, "trusts_everybody", "warn"),
        ({"sends_mail": "False"}, "mail_elsewhere", "info"),
        ({"extensions": "(SignUp(), SignIn(), Confirmed(), Told())"}, "no_reset", "info"),
        ({"store": "MemoryStore()"}, "memory_store", "warn"),
        ({"mailer": "ConsoleMailer()"}, "console_mailer", "warn"),
        ({"secret": TWO_SECRETS}, "retired_secrets", "info"),
        ({"passwords": "Passwords()"}, "short_passwords", "warn"),
        ({"passwords": "Passwords()"}, "no_breach_lookup", "warn"),
        ({"passwords": "Passwords(min_length=15, breach=Breaches())"}, "no_pepper", "info"),
        ({"passwords": "Passwords(min_length=15, breach=Breaches())"}, "breaches_pass", "info"),
        ({"passwords": "Passwords(memory=1024)"}, "cheap_hashes", "warn"),
        ({"sessions": "SessionSettings(absolute=__import__('datetime').timedelta(days=31))"}, "long_sessions", "warn"),
        ({"sessions": "SessionSettings(absolute=__import__('datetime').timedelta(days=2))"}, "long_sessions", "info"),
        ({"more": FORGETFUL, "store": "Forgetful()", "sessions": LATE}, "late_ends", "warn"),
        ({"extensions": "(SignUp(), SignIn(), Told())"}, "tells_taken_addresses", "warn"),
        ({"extensions": "(SignIn(), Prove(), ManageAccount(), Told())"}, "tells_taken_addresses", "warn"),
        ({"extensions": f"(SignUp(), SignIn(), {GRACE})"}, "grace_tells_taken_addresses", "warn"),
        ({"identifiers": "['email', 'username']"}, "tells_taken_usernames", "info"),
        ({"extensions": "(SignUp(), SignIn(), Confirmed())"}, "no_security_mails", "warn"),
        ({"extensions": "(SignIn(), Told())"}, "no_session_list", "info"),
    ],
)  # fmt: skip
def test_a_setting_that_is_unsafe_is_found(
    make_shop: MakeShop, settings: dict[str, str], code: str, severity: str
) -> None:
    shop = make_shop(**{**GOOD, **settings})
    finding = found(shop, "--no-accounts")[code]
    assert finding["severity"] == severity
    assert finding["says"]
    assert finding["do"]
    assert finding["identifiers"]
    assert shop.run("check", "--no-accounts").exit_code == 0
    strict = shop.run("check", "--no-accounts", "--strict", "--no-standards")
    assert strict.exit_code == (1 if severity == "warn" else 0)
    assert finding["do"].split()[0] in strict.output


@pytest.mark.parametrize(
    ("told", "is_found"), [("1", True), ("4", False), ("4, threads=2", False), ("1, threads=1", False)]
)
def test_processes_that_each_hash_on_all_cores_are_found(
    make_shop: MakeShop, monkeypatch: pytest.MonkeyPatch, told: str, *, is_found: bool
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    shop = make_shop(**{**GOOD, "passwords": f"Passwords(worker_processes={told})"})
    assert ("shared_cores" in found(shop, "--no-accounts")) is is_found


@pytest.mark.parametrize("how", ["environment", "setting"])
def test_a_store_in_memory_is_refused_where_there_are_several_processes(
    make_shop: MakeShop, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    passwords = GOOD["passwords"]
    if how == "setting":
        passwords = passwords.replace("Passwords(", "Passwords(worker_processes=4, ")
    shop = make_shop(**{**GOOD, "store": "MemoryStore()", "passwords": passwords})
    if how == "environment":
        monkeypatch.setenv("WEB_CONCURRENCY", "4")
    assert found(shop, "--no-accounts")["memory_store"]["severity"] == "refuse"
    assert shop.run("check", "--no-accounts").exit_code == 1


def test_settings_that_are_refused_at_start_are_findings(make_shop: MakeShop, folder: Any) -> None:
    shop = make_shop()
    source = (folder / f"{shop.module}.py").read_text()
    (folder / f"{shop.module}.py").write_text(
        source.replace("settings |=", "settings |= dict(secret='short')\nsettings |=")
    )
    result = shop.run("check", "--json")
    assert result.exit_code == 1
    data = json.loads(result.stdout)
    assert [finding["severity"] for finding in data["findings"]] == ["refuse"]
    assert data["requirements"] == []


def test_without_an_application_there_is_nothing_to_check(shop: Shop) -> None:
    assert shop.run("check", app="nothing_here:auth").exit_code == 2


# ---- hashes ----


def with_hash(shop: Shop, hash: str) -> None:
    """Give an account a hash, as an import would."""
    shop.create()

    async def change(auth: Auth[Any]) -> None:
        async with auth.begin() as ctx:
            account = await ctx.accounts.by_email(ADA)
            assert account
            await ctx.accounts.change(account, Changes(password_hash=hash))

    shop.work(change)


DJANGO = "pbkdf2_sha256$1000$salt$Zm9yZWlnbmZvcmVpZ25mb3JlaWduZm9yZWlnbjAwMDA="
OLDER = "$argon2id$v=19$m=32,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


@pytest.mark.parametrize(
    ("hash", "code"),
    [
        (DJANGO, "outdated_hashes"),
        (OLDER, "outdated_hashes"),
        ("nonsense", "unusable_hashes"),
        (f"$pepper=gone{OLDER}", "unusable_hashes"),
        (OLDER.replace("m=32,t=1", "m=999999,t=9"), "unusable_hashes"),
    ],
)  # fmt: skip
def test_hashes_that_will_be_replaced_or_never_match_are_counted_and_not_shown(
    shop: Shop, hash: str, code: str
) -> None:
    with_hash(shop, hash)
    result = shop.run("check", "--no-standards")
    assert ": 1" in found(shop)[code]["says"]
    assert hash not in result.output
    assert ADA not in result.output
    assert code not in found(shop, "--no-accounts")


def test_an_outdated_hash_is_no_longer_found_after_its_next_sign_in(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.create()
    assert "outdated_hashes" not in found(shop)
    path = shop.folder / f"{shop.module}.py"
    path.write_text(path.read_text().replace("Passwords(memory=64, time=1)", "Passwords(memory=64, time=2)"))
    assert "outdated_hashes" in found(shop)
    shop.sign_in(ADA, PASSWORD)
    assert "outdated_hashes" not in found(shop)


def test_hashes_that_wait_for_a_new_pepper_are_counted(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.create()
    path = shop.folder / f"{shop.module}.py"
    peppered = "Passwords(memory=64, time=1, peppers=[Pepper('new', 'k' * 32)])"
    path.write_text(path.read_text().replace("Passwords(memory=64, time=1)", peppered))
    assert found(shop)["former_peppers"]["severity"] == "info"


def test_accounts_that_cannot_be_read_are_a_finding_and_no_crash(shop: Shop) -> None:
    for file in shop.folder.glob("app.db*"):
        file.unlink()
    assert found(shop)["accounts_not_read"]["severity"] == "warn"


def test_people_read_by_which_name_the_checklist_calls_a_finding(make_shop: MakeShop) -> None:
    shop = make_shop(base_url="'http://localhost:8000/auth'")
    assert "plain_http" in shop.run("check", "--no-standards").output


# ---- a store on Redis ----

ON_REDIS = "__import__('powauth.redis', fromlist=['_']).RedisStore.from_url('{}')"


def test_a_redis_that_loses_sessions_is_found(make_shop: MakeShop, valkey_url: str) -> None:
    shop = make_shop(store=ON_REDIS.format(valkey_url))
    assert found(shop)["redis_not_persistent"]["severity"] == "warn"
    assert "redis_not_persistent" not in found(shop, "--no-store")


def test_a_redis_that_is_not_there_is_a_finding_and_no_crash(shop: Shop) -> None:
    path = shop.folder / f"{shop.module}.py"
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        store = ON_REDIS.format(f"redis://:secret@127.0.0.1:{nobody.getsockname()[1]}")
        path.write_text(path.read_text().replace("Auth(**settings)", f"Auth(store={store}, **settings)"))
        result = shop.run("check", "--json")
    assert "store_not_read" in result.stdout
    assert "secret@" not in result.output


# ---- standards ----


def test_each_requirement_has_a_status_and_a_reason(shop: Shop) -> None:
    rows = shop.data("check")["requirements"]
    assert {row["identifier"].split()[0] for row in rows} == {"ASVS", "NIST"}
    known = {"met", "met by setting", "not met", "application's duty", "not offered"}
    assert [row for row in rows if row["status"] not in known or not row["reason"] or not row["title"]] == []


def test_a_finding_names_requirements_that_are_listed(make_shop: MakeShop) -> None:
    shop = make_shop(passwords="Passwords()", store="MemoryStore()", cookies="Cookies(domain='example.com')")
    listed = set(standings(shop))
    named = {name for finding in found(shop).values() for name in finding["identifiers"] if not name.startswith("S")}
    assert named <= listed


MONTH = "SessionSettings(absolute=__import__('datetime').timedelta(days=31))"


@pytest.mark.parametrize(
    ("identifier", "settings"),
    [
        ("ASVS 6.2.2", {"extensions": "(SignIn(),)"}),
        ("ASVS 7.4.5", {"store": "MemoryStore()"}),
        ("NIST 2.1.3", {"sessions": MONTH}),
        ("NIST 5.1.1", {"base_url": "'http://localhost:8000/auth'"}),
    ],
)
def test_a_requirement_is_missed_by_a_setting(
    make_shop: MakeShop, shop: Shop, identifier: str, settings: dict[str, str]
) -> None:
    assert standings(shop)[identifier] == "met by setting"
    assert standings(make_shop(**settings))[identifier] == "not met"


def test_a_requirement_is_met_by_a_setting(make_shop: MakeShop, shop: Shop) -> None:
    before, after = standings(shop), standings(make_shop(**GOOD))
    for identifier in ("ASVS 6.2.12", "ASVS 6.3.7", "ASVS 6.3.8", "NIST 4.6"):
        assert (before[identifier], after[identifier]) == ("not met", "met by setting")


FACTOR = "from powauth.testing.factor import CodeFactor"


def test_a_second_factor_is_noticed(make_shop: MakeShop) -> None:
    shop = make_shop(more=FACTOR, extensions="(SignIn(), CodeFactor())", passwords="Passwords()")
    assert standings(shop)["ASVS 6.3.3"] == "met by setting"
    codes = found(shop)
    assert "single_factor" not in codes
    assert codes["short_passwords"]["severity"] == "info"


def test_a_requirement_without_anything_to_apply_to_is_not_offered(shop: Shop) -> None:
    assert standings(shop)["ASVS 6.8.3"] == "not offered"


def test_the_table_may_be_left_out(shop: Shop) -> None:
    assert "ASVS 9.1.1" in shop.run("check").output
    assert "ASVS 9.1.1" not in shop.run("check", "--no-standards").output


def test_nothing_that_is_printed_holds_a_secret(make_shop: MakeShop) -> None:
    pepper, secret = "pepper-that-nobody-may-see-4711-xyz", "b8264e2f7a1c09b5d3e867c1e0f5a9d3"
    shop = make_shop(secret=repr([secret]), passwords=f"Passwords(peppers=[Pepper('p1', {pepper!r})])")
    shop.create()
    for command in (["check"], ["routes"], ["tables"], ["explain", "sign-in"], ["accounts", "list"]):
        for options in ([], ["--json"]):
            output = shop.run(*command, *options).output
            assert pepper not in output
            assert secret not in output
            assert "argon2id$" not in output


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("https://example.com", "https://app.example.com"),
        ("https://auth.example.com", "https://app.example.com:8443"),
        ("http://localhost:8000", "http://localhost:3000"),
        ("http://[::1]:1", "http://[::1]:2"),
    ],
)
def test_origins_of_one_site_share_cookies(left: str, right: str) -> None:
    assert is_same_site(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("https://example.com", "http://example.com"),
        ("https://example.com", "https://example.org"),
        ("https://shop.co.uk", "https://other.co.uk"),
        ("http://localhost:8000", "http://127.0.0.1:8000"),
        ("http://10.0.0.1", "http://10.0.0.2"),
    ],
)
def test_origins_of_two_sites_share_none(left: str, right: str) -> None:
    assert not is_same_site(left, right)
