"""Operations: what is done to an account. No HTTP in here; every way in ends in `sign_in`."""

from powauth.operations.attempts import attempt, clear, forgive, identifier_key, withdraw
from powauth.operations.authentication import PASSWORD, Authentic, authenticate, find_account, verify_current
from powauth.operations.changes import (
    Changed,
    change_credential,
    change_email,
    change_password,
    change_profile,
    change_username,
    confirm_email,
    factor_added,
    lock_unchanged,
    replace_email,
    restore_email,
)
from powauth.operations.closing import close_account, erase_account, reopen_account
from powauth.operations.links import end_links
from powauth.operations.locks import guard_account, lock_account, unlock_account
from powauth.operations.requests import request_mail
from powauth.operations.signing_in import Entered, admit, sign_in, sign_out, step_up
from powauth.operations.signing_up import new_hash, password_problems, sign_up

__all__ = [
    "PASSWORD",
    "Authentic",
    "Changed",
    "Entered",
    "admit",
    "attempt",
    "authenticate",
    "change_credential",
    "change_email",
    "change_password",
    "change_profile",
    "change_username",
    "clear",
    "close_account",
    "confirm_email",
    "end_links",
    "erase_account",
    "factor_added",
    "find_account",
    "forgive",
    "guard_account",
    "identifier_key",
    "lock_account",
    "lock_unchanged",
    "new_hash",
    "password_problems",
    "reopen_account",
    "replace_email",
    "request_mail",
    "restore_email",
    "sign_in",
    "sign_out",
    "sign_up",
    "step_up",
    "unlock_account",
    "verify_current",
    "withdraw",
]
