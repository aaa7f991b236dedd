"""What may come of a flow that brings nobody in; each has words of its own, and none says what was compared."""

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
