"""The words of providers."""

from collections.abc import Mapping

_MAIL = (
    "\n\nWhen: {time}\nDevice: {device}\nNetwork address: {client}\n\n"
    "If this was not you, please sign in and change your password."
)

MESSAGES: Mapping[str, str] = {
    "start.submit": "Go on",
    "sign_in_with": "Continue with {provider}",
    "prove_with": "Confirm with {provider}",
    "connect_with": "Connect {provider}",
    "disconnect_from": "Disconnect {provider}",
    "disconnect.submit": "Disconnect",
    "callback.title": "Back from a provider",
    "callback.submit": "Go on",
    "complete.title": "One more thing",
    "complete.intro": "{provider} does not tell all that your new account needs, or somebody has it already.",
    "complete.submit": "Create account",
    "this_is_mine": "I have an account already",
    "mine.submit": "I have an account already",
    "sign_in_to_join": "Sign in to the account that you have. You are asked before anything is connected to it.",
    "join.title": "Connect {provider} to your account?",
    "join.intro": "You are signed in as {account}. At {provider} you are {identity}.\n\n"
    "Once they are connected, whoever signs in to {provider} as {identity} is in your account. "
    "Connect them only if both are yours.",
    "join.submit": "Connect",
    "not_mine": "Do not connect",
    "forget.submit": "Do not connect",
    "forgotten": "Nothing was connected.",
    "connected": "That way to sign in is connected. Other devices are signed out.",
    "disconnected": "That way to sign in is disconnected. Other devices are signed out.",
    "leave.title": "You are signed out",
    "leave.intro": "You are signed out here. One moment: you are led on to {provider}, to sign out there as well.",
    "leave.onward": "Sign out at {provider}",
    "left.title": "You are signed out",
    "signed_out": "You are signed out.",
    "somebody_else": "Somebody else is signed in at the provider than here the last time. How do you want to sign in?",
    "bad_flow": "This sign-in could not be finished: it was begun elsewhere, took too long, or was finished before. "
    "Please begin again.",
    "declined": "You were not signed in, because you or the provider said no.",
    "no_answer": "The provider does not answer just now. Please try again in a moment.",
    "not_registered": "No account here belongs to this sign-in, and new accounts are not made this way.",
    "other_account": "This belongs to another account.",
    "last_way_in": "This is your only way to sign in. Set a password or connect another one first.",
    "connect_again": "Please connect that provider again: what it allowed is over, or was taken back.",
    "did.connected": "A provider was connected",
    "did.disconnected": "A provider was disconnected",
    "connected.subject": "A new way to sign in at {application}",
    "connected.body": "Hello {name},\n\nyour account can be signed in to with {provider} from now on." + _MAIL,
    "disconnected.subject": "A way to sign in was removed at {application}",
    "disconnected.body": "Hello {name},\n\nyour account cannot be signed in to with {provider} any more." + _MAIL,
}
