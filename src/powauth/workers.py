"""Workers: how many processes serve one application, as far as one of them can see."""

import re
from collections.abc import Mapping, Sequence


def worker_count(environ: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Return how many processes the server was told to start, as far as a worker can see it.

    >>> worker_count({"WEB_CONCURRENCY": "4"}, ["manage.py"])
    4
    >>> worker_count({}, ["/usr/bin/gunicorn", "-w", "2", "app:app"])
    2
    """
    server = _SERVER.search(arguments[0]) if arguments else None
    options = _WORKERS.findall(" ".join(arguments)) if server else []
    told = options[-1] if options else environ.get("WEB_CONCURRENCY", "")
    return int(told) if told.isdecimal() else 1


_SERVER = re.compile(r"(uvicorn|gunicorn|hypercorn|granian|fastapi)([\\/]__main__\.py|\.exe)?$")
_WORKERS = re.compile(r"\s(?:--workers[= ]|-w[= ]?)(\d+)")
