"""For tests of applications, extensions and adapters."""

from powauth.testing.accounts_contract import AccountsContract
from powauth.testing.clock import FrozenClock
from powauth.testing.mailer_contract import MailerContract
from powauth.testing.outbox import Outbox
from powauth.testing.records_contract import RecordsContract
from powauth.testing.signing_in import sign_in_as
from powauth.testing.site import Answer, Site
from powauth.testing.store_contract import StoreContract
from powauth.testing.store_races import RaceContract

__all__ = [
    "AccountsContract",
    "Answer",
    "FrozenClock",
    "MailerContract",
    "Outbox",
    "RaceContract",
    "RecordsContract",
    "Site",
    "StoreContract",
    "sign_in_as",
]
