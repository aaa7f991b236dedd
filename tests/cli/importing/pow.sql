-- pow-auth/pow, mix pow.ecto.gen.migration with PowEmailConfirmation, PowInvitation and the guide to locked users; pow-auth/pow_assent, lib/pow_assent/ecto/user_identities/schema/fields.ex at 1b01596; as Ecto's SQLite adapter writes it
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL,
    password_hash TEXT,
    email_confirmation_token TEXT,
    email_confirmed_at TEXT,
    unconfirmed_email TEXT,
    invitation_token TEXT,
    invitation_accepted_at TEXT,
    invited_by_id INTEGER REFERENCES users (id),
    locked_at TEXT,
    inserted_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE UNIQUE INDEX users_email_index ON users (email);
CREATE TABLE user_identities (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    provider TEXT NOT NULL,
    uid TEXT NOT NULL,
    user_id INTEGER REFERENCES users (id),
    inserted_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE UNIQUE INDEX user_identities_uid_provider_index ON user_identities (uid, provider);
