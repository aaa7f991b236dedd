"""Names: how hashes are called. Nothing but names tells two of them apart, so no two owners may share one."""

import re

from powauth.errors import ConfigurationError


class Names:
    """The names of one store's hashes: `powauth:{12:main::session:…}`.

    The braces are for a cluster, which looks at nothing else to choose a slot. The number is the length of the kind:
    wherever it ends, and whatever characters kind and owner have, no other pair gives the same name.
    """

    def __init__(self, prefix: str) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", prefix):
            raise ConfigurationError("prefix of RedisStore: 1 to 64 letters, digits and - _ . : are what it may have")
        self.prefix = prefix

    def hash(self, kind: str, owner: str) -> bytes:
        """Return the name of the hash of what one owner has of one kind."""
        return f"{self.prefix}:{{{len(kind)}:{kind}:{owner}}}".encode()

    def owned(self, name: bytes) -> tuple[str, str] | None:
        """Return kind and owner, if this is the name of a hash.

        >>> Names("powauth").owned(Names("powauth").hash("main::session", "ad:{a}"))
        ('main::session', 'ad:{a}')
        """
        try:
            length, _, rest = name.decode().removeprefix(f"{self.prefix}:{{").partition(":")
            end = int(length)
        except ValueError:
            return None
        kind, owner = rest[:end], rest[end + 1 : -1]
        return (kind, owner) if self.hash(kind, owner) == name else None

    @property
    def beginning(self) -> bytes:
        """Return how every hash is called at first."""
        return f"{self.prefix}:{{".encode()

    def mark(self, kind: str, owner: str) -> bytes:
        """Return a name that no hash has, in the same slot."""
        return self.hash(kind, owner) + b"*"

    @property
    def pattern(self) -> bytes:
        """Return what matches every hash, and no mark."""
        return f"{self.prefix}:{{*}}".encode()
