"""The store on Redis and Valkey: a single server, Sentinel and Cluster."""

from powauth.redis.store import RedisStore

__all__ = ["RedisStore"]
