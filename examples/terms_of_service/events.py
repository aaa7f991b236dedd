"""What is announced."""

from dataclasses import dataclass

from examples.terms_of_service.records import Acceptance
from powauth import Account, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsAccepted(Event):
    """Somebody accepted an edition for the first time."""

    account: Account
    acceptance: Acceptance


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptConfirmed(Event):
    """Somebody used the link in a receipt."""

    account: Account
    acceptance: Acceptance
