"""The words about what happened to an account."""

_WHERE = "When: {time}\nDevice: {device}\nNetwork address: {client}"
_NOT_YOU = "If this was not you, lock your account here: every device is signed out, and nobody gets in."
_BUTTON = "This was not me"

MESSAGES = {
    "secure.title": "Secure your account",
    "secure.intro": "If somebody else was at the account of {name}, press the button. Every device is signed out, and "
    "the password does not work any more. A mail tells you how you come in again.",
    "secure.submit": "This was not me",
    "put_back.title": "Your address was changed",
    "put_back.intro": "From {former} to {email}. If this was not you, take it back: every device is signed out, and "
    "you set a new password by mail.",
    "put_back.submit": "This was not me",
    "secured": "Your account is secured. Please look into your mailbox.",
    "password_changed.subject": "Your password at {application} was changed",
    "password_changed.body": "Hello {name},\n\nyour password was changed, and every other device was signed out."
    f"\n\n{_WHERE}\n\n{_NOT_YOU}",
    "password_changed.button": _BUTTON,
    "email_changed.subject": "Your address at {application} was changed",
    "email_changed.body": "Hello {name},\n\nthe address of your account was changed from {former} to {email}."
    f"\n\n{_WHERE}\n\nIf this was not you, take it back here: every device is signed out, and you set a new password.",
    "email_changed.button": _BUTTON,
    "new_device.subject": "New sign-in at {application}",
    "new_device.body": "Hello {name},\n\nsomebody signed in to your account on a device that was not seen before."
    f"\n\n{_WHERE}\n\n{_NOT_YOU}",
    "new_device.button": _BUTTON,
    "stolen.subject": "A device was signed out at {application}",
    "stolen.body": "Hello {name},\n\nthe same sign-in was used from two places, so it was ended. Somebody may have "
    f"copied it.\n\n{_WHERE}\n\nPlease sign in again and change your password. {_NOT_YOU}",
    "stolen.button": _BUTTON,
    "closed.subject": "Your account at {application} is closed",
    "closed.body": "Hello {name},\n\nyour account and all that belonged to it is erased."
    f"\n\n{_WHERE}\n\nIf this was not you, please answer this mail at once.",
}
