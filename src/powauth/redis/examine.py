"""What is looked at when a store opens, and what `powauth check` says of it."""

from collections.abc import Iterator, Mapping, Sequence

from redis.exceptions import ResponseError

from powauth.errors import ConfigurationError, StoreUnavailable
from powauth.redis.caller import Caller
from powauth.redis.failures import mend
from powauth.redis.names import Names
from powauth.redis.pool import Answer
from powauth.redis.scripts import REMOVE_DEAD
from powauth.redis.urls import Target
from powauth.stores import Weakness

READS_THROUGH = Weakness(
    "redis_reads_through",
    "warn",
    "the near cache keeps nothing: its connections to the servers do not stand, so every request asks Redis",
    "look at what the logger powauth.redis says, and at whether all primaries are reached",
)


async def try_out(caller: Caller, names: Names, target: Target) -> None:
    """Raise `ConfigurationError` for what will not pass by itself, `StoreUnavailable` for what may."""
    key = names.hash("open", "")
    try:
        await caller.run(REMOVE_DEAD, key, 0)
        await caller.read(key, ("HGET", key, b""))
        info = await _info(caller)
    except StoreUnavailable as error:
        if why := mend(error):
            raise ConfigurationError(f"RedisStore cannot use its server: {why}") from None
        raise
    for server in info:
        if why := _unfit(server, target):
            raise ConfigurationError(f"RedisStore cannot use its server: {why}")


def _unfit(server: Mapping[str, str], target: Target) -> str | None:
    version = server.get("valkey_version") or server.get("redis_version", "6.0")
    if int(version.partition(".")[0]) < 6:
        return f"it is Redis {version}, and 6.0 is the oldest that will do"
    if target.kind == "single" and server.get("cluster_enabled") == "1":
        return "it is part of a cluster: write redis+cluster:// or rediss+cluster://"
    return None


async def examine(caller: Caller, target: Target, *, replicas: int) -> Sequence[Weakness]:
    """Return what of server and settings is unsafe."""
    found = [*_of_the_way(target)]
    for server in await _info(caller):
        found += _of_server(server, replicas)
    return [*{weakness.code: weakness for weakness in found}.values()]  # three servers, one word


def _of_the_way(target: Target) -> Iterator[Weakness]:
    far = [address for address in target.addresses if not address.is_local]
    if far and not target.login.tls:
        yield Weakness(
            "redis_in_clear",
            "warn",
            f"what goes to Redis at {far[0]} can be read on the way, its password included",
            "write rediss:// with two s, unless the network between is yours alone",
        )
    if far and target.login.password is None:
        yield Weakness(
            "redis_without_password",
            "warn",
            f"Redis at {far[0]} is used without a password: whoever reaches it can sign in as anybody",
            "give it a user of its own, as docs/guides/redis.md shows",
        )


def _of_server(server: Mapping[str, str], replicas: int) -> Iterator[Weakness]:
    policy = server.get("maxmemory_policy")
    if policy is None:
        yield Weakness(
            "redis_not_read",
            "info",
            "what Redis does when it is full could not be read: its user may not run INFO",
            "allow +info, or see yourself that maxmemory-policy is noeviction",
        )
    elif policy != "noeviction":
        yield Weakness(
            "redis_evicts",
            "warn",
            f"a full Redis throws away what lives (maxmemory-policy {policy}): sessions, and what limits count",
            "set maxmemory-policy noeviction: a full server then answers 503, and ends sessions still",
        )
    if server.get("aof_enabled", "1") == "0":
        yield Weakness(
            "redis_not_persistent",
            "warn",
            "Redis keeps no append-only file: a restart signs everybody out, or brings back sessions that were ended"
            " since its last snapshot, which the database alone then refuses, and forgets what limits counted",
            "set appendonly yes",
        )
    if not replicas and int(server.get("connected_slaves", "0")):
        yield Weakness(
            "redis_replicas_not_asked",
            "info",
            "if the primary fails, the store may forget that a session just ended: the database alone tells it then",
            "say RedisStore.from_url(…, replicas=1)",
        )


async def _info(caller: Caller) -> Sequence[Mapping[str, str]]:
    """Return what each server says of itself, and nothing for one that may not tell."""
    answers = [await caller.ask(server, ("INFO",)) for server in await caller.servers()]
    return [{} if isinstance(answer, ResponseError) else _parsed(answer) for answer in answers]


def _parsed(answer: Answer) -> Mapping[str, str]:
    lines = answer.decode("utf-8", "replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))
