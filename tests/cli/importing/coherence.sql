-- smpallen99/coherence, lib/mix/tasks/coh.install.ex at 08c8cb0: users with every option, invitations, rememberables, as Ecto's SQLite adapter writes it
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT,
    email TEXT,
    password_hash TEXT,
    reset_password_token TEXT,
    reset_password_sent_at TEXT,
    failed_attempts INTEGER DEFAULT 0,
    locked_at TEXT,
    sign_in_count INTEGER DEFAULT 0,
    current_sign_in_at TEXT,
    last_sign_in_at TEXT,
    current_sign_in_ip TEXT,
    last_sign_in_ip TEXT,
    unlock_token TEXT,
    confirmation_token TEXT,
    confirmed_at TEXT,
    confirmation_sent_at TEXT,
    active INTEGER NOT NULL DEFAULT 1,
    inserted_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE UNIQUE INDEX users_email_index ON users (email);
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT,
    email TEXT,
    token TEXT,
    inserted_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE TABLE rememberables (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    series_hash TEXT,
    token_hash TEXT,
    token_created_at TEXT,
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
    inserted_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
