"""Makes the database of a Django site with allauth by its own migrations, and people by its own API.

python django_site.py FILE
"""

import sys
from datetime import timedelta
from typing import Any

import django
import django.conf
from django.core.management import call_command

PASSWORD = "four quiet green owls"
HASHERS = ("PBKDF2", "Argon2", "BCryptSHA256", "BCrypt", "Scrypt", "MD5")


def set_up(file: str) -> None:
    django.conf.settings.configure(
        SECRET_KEY="of a test",
        USE_TZ=True,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": file}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "allauth",
            "allauth.account",
            "allauth.socialaccount",
        ],
        MIDDLEWARE=["allauth.account.middleware.AccountMiddleware"],
        PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}PasswordHasher" for name in HASHERS],
    )
    django.setup()


def make() -> None:
    from allauth.account.models import EmailAddress  # noqa: PLC0415  Django has to be set up before
    from allauth.socialaccount.models import SocialAccount  # noqa: PLC0415
    from django.contrib.auth.hashers import make_password  # noqa: PLC0415
    from django.contrib.auth.models import Group, User  # noqa: PLC0415

    call_command("migrate", verbosity=0)

    identities: Any = SocialAccount

    def person(name: str, email: str | None = None, *, hasher: str = "argon2", **more: Any) -> User:
        made = User.objects.create_user(name, f"{name}@example.com" if email is None else email, PASSWORD, **more)
        made.password = make_password(PASSWORD, hasher=hasher)
        made.date_joined -= timedelta(days=1000)
        made.save()
        return made

    def address(user: User, email: str, *, verified: bool, primary: bool) -> None:
        EmailAddress.objects.create(user=user, email=email, verified=verified, primary=primary)

    for hasher in ("pbkdf2_sha256", "argon2", "bcrypt_sha256", "bcrypt", "scrypt", "md5"):
        name = hasher.replace("_", "-")
        address(person(name, hasher=hasher), f"{name}@example.com", verified=True, primary=True)
    person("unproved")
    social = person("social")
    social.set_unusable_password()
    social.save()
    address(social, "social@example.com", verified=True, primary=True)
    address(social, "social@elsewhere.example", verified=True, primary=False)
    identities.objects.create(user=social, provider="github", uid="583231", extra_data={"login": "octocat"})
    person("inactive", is_active=False)
    staff: Any = person("staff", is_staff=True)
    staff.groups.add(Group.objects.create(name="editors"))
    person("no-address", "")
    thief = person("thief", "Victim@example.com")
    assert thief.pk
    victim = person("victim", "victim@example.com")
    address(victim, "victim@example.com", verified=True, primary=True)
    person("twin-1", "twin@example.com")
    person("twin-2", "TWIN@example.com")
    person("broken", "no address at all")
    address(person("changed", "former@example.com"), "current@example.com", verified=True, primary=True)


if __name__ == "__main__":
    set_up(sys.argv[1])
    make()
