"""The words about addresses."""

MESSAGES = {
    "to_sign_in": "To sign-in",
    "again": "No confirmation mail?",
    "waiting.title": "Please look into your mailbox",
    "waiting.intro": "We sent you a mail with a link. Open it to confirm your address; then you can sign in.",
    "waiting.pending": "A mail is on its way to {email}. Your address changes when you open its link.",
    "waiting.nothing": "No change of your address waits to be confirmed.",
    "again.title": "No mail?",
    "again.intro": "Look among the unwanted ones first. If an account waits for it, we send it again.",
    "again.submit": "Send it again",
    "sent": "If something waits to be confirmed, a mail is on its way.",
    "cancel.submit": "Keep the address as it is",
    "cancelled": "The change of your address is cancelled.",
    "confirm.title": "Confirm your address",
    "confirm.intro": "Is {email} your address? It becomes the one of the account {name}.",
    "confirm.submit": "Confirm",
    "confirmed": "Your address is confirmed.",
    "take_back.title": "Your address was changed",
    "take_back.intro": "From {former} to {email}. If this was not you, take it back.",
    "undo.intro": "Every device is signed out, and the password does not work any more: you set a new one by mail.",
    "undo.submit": "Take it back",
    "waive.intro": "If it was you, you can let the change stand for good: this link does not work afterwards.",
    "waive.submit": "It was me",
    "undone": "Your address is as it was. Please look into your mailbox to set a new password.",
    "waived": "Thank you. The change stands.",
    "confirm.subject": "Confirm your address at {application}",
    "confirm.body": "Hello,\n\nthis address was used for an account at {application}. Please confirm that it is yours."
    "\n\nIf you did not do that, you need not do anything.",
    "confirm.button": "Confirm my address",
    "change.subject": "Confirm your new address at {application}",
    "change.body": "Hello,\n\nan account at {application} is to have the address {email} from now on. Please confirm "
    "that it is yours.\n\nIf you did not do that, you need not do anything.",
    "change.button": "Confirm my address",
    "changed.subject": "Your address at {application} was changed",
    "changed.body": "Hello {name},\n\nthe address of your account was changed from {former} to {email}.\n\nIf this was "
    "not you, take it back here: every device is signed out then, and you set a new password. If it was you, you can "
    "say so in the same place.",
    "changed.button": "Look at the change",
    "attempted.subject": "Your address was used at {application}",
    "attempted.body": "Hello,\n\nsomebody, perhaps you, used this address at {application}, where it has an account "
    "already. Nothing was changed. You can sign in with it, or set a new password if you forgot yours.\n\nIf this was "
    "not you, you need not do anything.",
    "attempted.button": "Sign in",
}
