"""Makes the database of a Flask application with Flask-Security by its own models, and people by its own API.

python flask_site.py FILE SCHEME [single]
"""

import sys
from typing import Any

from flask import Flask
from flask_security import Security, SQLAlchemyUserDatastore, hash_password
from flask_security.models import fsqla_v3
from flask_sqlalchemy import SQLAlchemy

PASSWORD = "four quiet green owls"
ACCENTED = "vier stille grüne eulen"
SALT = "146585145368132386173505678016728509634"


def make(file: str, scheme: str, *flags: str) -> None:
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="of a test",
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{file}",
        SECURITY_PASSWORD_SALT=SALT,
        SECURITY_PASSWORD_HASH=scheme,
        SECURITY_PASSWORD_SINGLE_HASH=True if "single" in flags else app_default(),
        SECURITY_PASSWORD_CONFIRM_REQUIRED=False,
    )
    db: Any = SQLAlchemy(app)
    fsqla: Any = fsqla_v3
    fsqla.FsModels.set_db_info(db)

    class Role(db.Model, fsqla.FsRoleMixin):  # type: ignore[misc]
        pass

    class User(db.Model, fsqla.FsUserMixin):  # type: ignore[misc]
        pass

    datastore = SQLAlchemyUserDatastore(db, User, Role)
    app.security = Security(app, datastore)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    with app.app_context():
        db.create_all()
        people(app, db, datastore)


def people(app: Any, db: Any, datastore: Any) -> None:
    normalised = app.security.password_util.normalize
    datastore.find_or_create_role("editor")

    def person(name: str, password: str = PASSWORD, **more: Any) -> Any:
        hash = hash_password(normalised(password))
        return datastore.create_user(email=f"{name}@example.com", password=hash, **more)

    person("ada", confirmed_at=app.security.datetime_factory())
    person("unproved")
    person("accented", ACCENTED)
    person("inactive", active=False)
    person("editor", roles=["editor"])
    person("second", tf_totp_secret="a secret of a second factor", tf_primary_method="authenticator")
    datastore.create_user(email="passwordless@example.com", password=None)
    db.session.commit()


def app_default() -> Any:
    from flask_security.core import _default_config  # noqa: PLC0415

    return _default_config["PASSWORD_SINGLE_HASH"]


if __name__ == "__main__":
    make(*sys.argv[1:])
