-- made with fastapi-users 15.0.5, fastapi-users-db-sqlalchemy 7.0.0, pwdlib 0.3.0, SQLAlchemy 2.0.58 on 2026-11-24
BEGIN TRANSACTION;
CREATE TABLE oauth_account (
	id CHAR(36) NOT NULL, 
	user_id CHAR(36) NOT NULL, 
	oauth_name VARCHAR(100) NOT NULL, 
	access_token VARCHAR(1024) NOT NULL, 
	expires_at INTEGER, 
	refresh_token VARCHAR(1024), 
	account_id VARCHAR(320) NOT NULL, 
	account_email VARCHAR(320) NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(user_id) REFERENCES user (id) ON DELETE cascade
);
INSERT INTO "oauth_account" VALUES('e53cdd7a-1af7-475f-a16a-250c2360a72e','af084a37-5256-4bcd-aced-604de4dcddd8','github','a secret token',NULL,NULL,'583231','social@example.com');
CREATE TABLE user (
	id CHAR(36) NOT NULL, 
	email VARCHAR(320) NOT NULL, 
	hashed_password VARCHAR(1024) NOT NULL, 
	is_active BOOLEAN NOT NULL, 
	is_superuser BOOLEAN NOT NULL, 
	is_verified BOOLEAN NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "user" VALUES('1a4fbd58-295e-4f7b-9ff1-b890c3d0faa6','argon2@example.com','$argon2id$v=19$m=65536,t=3,p=4$hDm1dewc/bSTeQIXh1YA1A$ll3ruSAyvZa3ZWg0nYacosWsIR6wST+Qv+4HVTZ1mi0',1,0,1);
INSERT INTO "user" VALUES('927021cf-c5a5-4d8b-a9ee-5fa27753969c','inactive@example.com','$argon2id$v=19$m=65536,t=3,p=4$a8B9sK0CEHnLQtd9wADgEQ$EIpE4HQld5/W2jmvkESBzIEMNyjf/I5T+ZvxECAtQGk',0,0,0);
INSERT INTO "user" VALUES('fa206a8d-6c57-40f5-b0c0-25da40efba1d','chief@example.com','$argon2id$v=19$m=65536,t=3,p=4$o9qS26JS7sMNJYFNHejAHQ$+6sBjyDpa8ZbKh5TRDOdmzXXID2uqW1hvrjgPNVkVqI',1,1,0);
INSERT INTO "user" VALUES('502cd7c4-8032-46a0-b8c2-7d7f44e6af73','bcrypt@example.com','$2b$04$1MtiqP85CLgdJj/aLxF4ZO52mMKXyMSawhAGfeVTgsmIUD28h/0aa',1,0,0);
INSERT INTO "user" VALUES('af084a37-5256-4bcd-aced-604de4dcddd8','social@example.com','$2b$04$lGtpcrbVpE1doSBHFQMoL.Kx/aHhzBp8vRhOmeNpCswUTmOx4ni.O',1,0,1);
CREATE UNIQUE INDEX ix_user_email ON user (email);
CREATE INDEX ix_oauth_account_oauth_name ON oauth_account (oauth_name);
CREATE INDEX ix_oauth_account_account_id ON oauth_account (account_id);
COMMIT;
