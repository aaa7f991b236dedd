"""Paths: every page has one spelling."""

from powauth.errors import NotFound

MAX_PATH = 2048  # characters; the longest token in a path has 77

_NEVER = frozenset("%\\?#; ")  # doubly encoded, or read as something else by a proxy in front


def normalise(path: str) -> str:
    """Return the path, decoded once and below the mount point, if it is how a page's own is spelled.

    Raises `NotFound` for all other spellings, so that no limit or rule meant for a page can be walked around (S44):
    doubled or trailing slashes, dots, encodings in encodings, what is not printable. Letters are compared as they are.
    """
    if path in {"", "/"}:  # one and the same (RFC 3986 §6.2.3)
        return "/"
    first, *segments = path.split("/")
    if first or len(path) > MAX_PATH or not path.isprintable() or _NEVER & set(path):
        raise NotFound
    if any(segment in {"", ".", ".."} for segment in segments):
        raise NotFound
    return path
