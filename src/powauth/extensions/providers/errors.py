"""What may come of a flow that brings nobody in; each has words of its own, and none says what was compared."""

from typing import Literal

from powauth.errors import Conflict, Forbidden, InvalidToken, Unavailable


class BadFlow(InvalidToken):
    """What came back belongs to no flow of this browser, is used up, too old, or does not hold."""

    code = "providers.bad_flow"


class Declined(Forbidden):
    """The person said no at the provider."""

    code = "providers.declined"


class NoAnswer(Unavailable):
    """The provider did not answer."""

    code = "providers.no_answer"


class NotRegistered(Forbidden):
    """Nobody here has this identity, and no account is made for it."""

    code = "providers.not_registered"


class OtherAccount(Conflict):
    """The identity is another account's, or another person's than the account's."""

    code = "providers.other_account"


class LastWayIn(Conflict):
    """Without it nobody could sign in to the account any more."""

    code = "providers.last_way_in"


class ConnectAgain(Conflict):
    """Nothing kept opens the provider's doors: its person has to go there again. `provider` is its name.

    `reason` is `not_connected`, `nothing_kept` (it was connected before tokens were kept, or gives none),
    `no_refresh_token` (what there is has run out), or `refused` (the provider, or the person there, took it back).
    """

    code = "providers.connect_again"

    def __init__(
        self, provider: str, reason: Literal["not_connected", "nothing_kept", "no_refresh_token", "refused"]
    ) -> None:
        super().__init__(f"{provider}: {reason}")
        self.provider = provider
        self.reason = reason
