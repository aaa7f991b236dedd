"""A certified OpenID provider on this machine, until you end it:  python -m tests.oauth.provider"""

import sys

from tests import servers


def main() -> None:
    """Start it, say how to use it, and wait."""
    run = servers.begin_run()
    try:
        issuer = f"http://127.0.0.1:{servers.shared('openid').port}"
        print(f"OPENID_ISSUER={issuer} OPENID_NETWORK=loopback OPENID_CLIENT_ID=web \\")
        print("OPENID_CLIENT_SECRET='a secret that is long enough to sign with' BASE_URL=http://localhost:17399 \\")
        print("  .venv/bin/uvicorn --app-dir examples/providers_alone --port 17399 app:app")
        print("Then open http://localhost:17399. Any name signs in. Enter ends the provider.", flush=True)
        sys.stdin.readline()
    finally:
        servers.end_run(run)


if __name__ == "__main__":
    main()
