"""`powauth check` about providers: whom an application believes, and how that stands to the standards."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.shop import Shop

MakeShop = Callable[..., Shop]

MORE = """
from dataclasses import replace
from powauth.extensions.providers import Providers
from powauth.oauth import Network
from powauth.providers import GitHub, Google, LinkedIn

hub, google, linked = (kind(client_id="id", client_secret="secret") for kind in (GitHub, Google, LinkedIn))

async def listed(ctx):
    return [hub]

class Sealed:
    def seal(self, plain, *, context):
        return plain

    def open(self, sealed, *, context):
        return sealed
"""
WHOLE = "(SignUp(), SignIn(), ManageAccount(), SessionList(), Prove(), Providers({}))"


@pytest.fixture
def shop_with(make_shop: MakeShop) -> Callable[..., dict[str, Any]]:
    """Return a report on an application with these settings of `Providers`."""

    def report(settings: str, extensions: str = WHOLE, **more: str) -> dict[str, Any]:
        shop = make_shop(more=MORE, extensions=extensions.format(settings), **more)
        data: dict[str, Any] = json.loads(shop.run("check", "--json").stdout)
        return data

    return report


Report = Callable[..., dict[str, Any]]


def codes(report: dict[str, Any]) -> dict[str, str]:
    return {finding["code"]: finding["severity"] for finding in report["findings"]}


def standing(report: dict[str, Any], identifier: str) -> str:
    (status,) = (row["status"] for row in report["requirements"] if row["identifier"] == f"ASVS {identifier}")
    return str(status)


OURS = {
    *("links_verified", "keeps_provider_tokens", "no_pkce", "unbound_flows", "loopback_provider", "private_provider"),
    *("providers_without_prove", "providers_per_request"),
}


def test_providers_as_they_ship_need_no_word(shop_with: Report) -> None:
    assert not OURS & set(codes(shop_with("providers=[hub, google, linked]")))


@pytest.mark.parametrize(
    ("settings", "code", "severity"),
    [
        ("providers=[hub], links_verified=True", "links_verified", "warn"),
        ("providers=[replace(hub, pkce=False)]", "no_pkce", "warn"),
        ("providers=[replace(linked, pkce=False)]", "unbound_flows", "refuse"),
        ("providers=[replace(hub, network=Network.LOOPBACK)]", "loopback_provider", "warn"),
        ("providers=[replace(hub, network=Network.PRIVATE)]", "private_provider", "info"),
        ("providers=listed", "providers_per_request", "info"),
    ],
)
def test_a_setting_that_believes_more_is_found(shop_with: Report, settings: str, code: str, severity: str) -> None:
    """S47, S49, S52."""
    found = codes(shop_with(settings))
    assert found[code] == severity
    assert OURS & set(found) - {"no_pkce"} == {code} - {"no_pkce"}


def test_a_provider_on_this_machine_is_no_matter_while_the_application_is_as_well(shop_with: Report) -> None:
    settings = "providers=[replace(hub, network=Network.LOOPBACK)]"
    assert "loopback_provider" not in codes(shop_with(settings, base_url="'http://localhost:8000/auth'"))


def test_kept_tokens_are_told_of(shop_with: Report) -> None:
    database = "SQLAlchemyDatabase(async_sessionmaker(engine), User, encryption=Sealed())"
    found = codes(shop_with("providers=[hub], keeps_tokens=True", database=database))
    assert found["keeps_provider_tokens"] == "info"


def test_without_prove_connecting_is_for_the_first_minutes(shop_with: Report) -> None:
    found = codes(shop_with("providers=[hub]", "(SignUp(), SignIn(), ManageAccount(), Providers({}))"))
    assert found["providers_without_prove"] == "info"


@pytest.mark.parametrize(
    ("settings", "identifier", "status"),
    [
        ("providers=[google]", "6.8.1", "met by setting"),
        ("providers=[google], links_verified=True", "6.8.1", "not met"),
        ("providers=[google]", "10.1.2", "met"),
        ("providers=[google]", "10.5.1", "met"),
        ("providers=[google, linked]", "10.5.1", "not met"),
        ("providers=[hub]", "10.5.1", "not offered"),
        ("providers=listed", "10.5.1", "met"),
        ("providers=[google]", "7.6.2", "met"),
        ("providers=[google]", "10.5.5", "not offered"),
    ],
)
def test_the_standard_is_met_as_far_as_settings_let_it(
    shop_with: Report, settings: str, identifier: str, status: str
) -> None:
    assert standing(shop_with(settings), identifier) == status


def test_without_providers_nothing_of_federation_applies(make_shop: MakeShop) -> None:
    report = json.loads(make_shop().run("check", "--json").stdout)
    for identifier in ("6.8.1", "6.8.2", "7.6.2", "10.1.2", "10.5.4"):
        assert standing(report, identifier) == "not offered"
