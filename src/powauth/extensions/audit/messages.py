"""What is said on the page, and of each event that people are shown."""

MESSAGES = {
    "field.account": "Of this account: its address, user name or handle.",
    "field.actor": "By this account: its address, user name or handle.",
    "field.event": "Of this event, such as signed_in or remember_me.device_stolen.",
    "field.since": "From this time on: 2026-11-24, 2026-11-24T09:30+01:00, or an age such as 7d, 12h, 30m.",
    "field.until": "Before this time.",
    "field.client": "From this network address.",
    "field.limit": "At most so many.",
    "field.after": "Only what comes after the row of this id.",
    "field.format": "Lines of JSON, or a table as CSV.",
}

PAGE_MESSAGES = {
    "activity.title": "Recent activity",
    "activity.intro": "What happened to your account. If something was not you, change your password.",
    "activity.none": "Nothing has happened yet.",
    "activity.when": "When",
    "activity.where": "Where",
    "activity.older": "Older activity",
    "activity.by_somebody_else": "Not by you",
    "did.signed_up": "The account was made",
    "did.signed_in": "Signed in",
    "did.signed_out": "Signed out",
    "did.authentication_failed": "A sign-in failed",
    "did.session_stolen": "A sign-in was ended because it was used in two places",
    "did.password_changed": "The password was changed",
    "did.email_changed": "The email address was changed",
    "did.email_confirmed": "The email address was confirmed",
    "did.email_restored": "The former email address was put back",
    "did.username_changed": "The user name was changed",
    "did.profile_changed": "The profile was changed",
    "did.locked": "The account was locked",
    "did.unlocked": "The account was unlocked",
    "did.closed": "The account was closed",
    "did.reopened": "The account was opened again",
}
