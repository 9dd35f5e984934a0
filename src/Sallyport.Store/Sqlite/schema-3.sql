CREATE TABLE site (
  id   INTEGER PRIMARY KEY,
  name TEXT    NOT NULL UNIQUE
);
INSERT INTO site (id, name) VALUES (1, 'default');
CREATE TABLE node (
  claim      INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT    NOT NULL,
  expires_at INTEGER NOT NULL
);
CREATE TABLE message_3 (
  id            INTEGER PRIMARY KEY,
  site          INTEGER NOT NULL,
  queue_id      TEXT    NOT NULL UNIQUE,
  received_at   INTEGER NOT NULL,
  login         TEXT    NOT NULL,
  session       TEXT    NOT NULL,
  client        TEXT    NOT NULL,
  message_id    TEXT    NOT NULL,
  reverse_path  TEXT    NOT NULL,
  body_type     INTEGER NOT NULL,
  smtputf8      INTEGER NOT NULL,
  envelope_id   TEXT,
  dsn_return    INTEGER,
  eight_bit     INTEGER NOT NULL,
  utf8_header   INTEGER NOT NULL,
  hold_reason   TEXT,
  header_bytes  INTEGER NOT NULL,
  content_bytes INTEGER NOT NULL,
  chunks        INTEGER NOT NULL,
  content       BLOB    NOT NULL
);
INSERT INTO message_3 SELECT id, 1, queue_id, received_at, login, session, client, message_id, reverse_path, body_type, smtputf8, envelope_id,
  dsn_return, eight_bit, utf8_header, hold_reason, header_bytes, content_bytes, chunks, content FROM message;
DROP TABLE message;
ALTER TABLE message_3 RENAME TO message;
CREATE INDEX message_chunked ON message (queue_id) WHERE chunks > 0;
CREATE INDEX message_login ON message (login, site);
DELETE FROM chunk WHERE queue_id NOT IN (SELECT queue_id FROM message WHERE chunks > 0);
ALTER TABLE chunk ADD COLUMN claim INTEGER NOT NULL DEFAULT 0;
CREATE TABLE recipient_3 (
  message         INTEGER NOT NULL,
  number          INTEGER NOT NULL,
  site            INTEGER NOT NULL,
  path            TEXT    NOT NULL,
  notify          INTEGER NOT NULL,
  orcpt           TEXT,
  state           INTEGER NOT NULL,
  claim           INTEGER NOT NULL,
  attempts        INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  last_reply      TEXT    NOT NULL,
  delay_reported  INTEGER NOT NULL,
  PRIMARY KEY (message, number)
) WITHOUT ROWID;
INSERT INTO recipient_3 SELECT message, number, 1, path, notify, orcpt, CASE state WHEN 1 THEN 0 ELSE state END, 0, attempts, next_attempt_at, last_reply, delay_reported
  FROM recipient;
DROP TABLE recipient;
ALTER TABLE recipient_3 RENAME TO recipient;
CREATE INDEX recipient_due ON recipient (next_attempt_at) WHERE state = 0;
CREATE INDEX recipient_held ON recipient (message) WHERE state = 2;
CREATE TABLE total (
  site        INTEGER PRIMARY KEY,
  messages    INTEGER NOT NULL,
  bytes       INTEGER NOT NULL,
  due         INTEGER NOT NULL,
  in_progress INTEGER NOT NULL,
  held        INTEGER NOT NULL,
  settled     INTEGER NOT NULL
);
INSERT INTO total SELECT 1, (SELECT count(*) FROM message), (SELECT coalesce(sum(content_bytes), 0) FROM message), count(*) FILTER (WHERE state = 0),
  count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state > 2) FROM recipient;
CREATE TABLE account_3 (
  site       INTEGER NOT NULL,
  login      TEXT    NOT NULL,
  iterations INTEGER NOT NULL,
  salt       BLOB    NOT NULL,
  stored_key BLOB    NOT NULL,
  server_key BLOB    NOT NULL,
  addresses  TEXT    NOT NULL,
  disabled   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (site, login)
) WITHOUT ROWID;
INSERT INTO account_3 SELECT 1, login, iterations, salt, stored_key, server_key, addresses, disabled, created_at FROM account;
DROP TABLE account;
ALTER TABLE account_3 RENAME TO account;
CREATE TABLE setting_3 (
  site  INTEGER NOT NULL,
  name  TEXT    NOT NULL,
  value BLOB    NOT NULL,
  PRIMARY KEY (site, name)
) WITHOUT ROWID;
INSERT INTO setting_3 SELECT 1, name, value FROM setting;
DROP TABLE setting;
ALTER TABLE setting_3 RENAME TO setting;
CREATE TABLE registry (
  site       INTEGER NOT NULL,
  kind       INTEGER NOT NULL,
  key        TEXT    NOT NULL,
  value      BLOB,
  expires_at INTEGER,
  version    INTEGER NOT NULL,
  PRIMARY KEY (site, kind, key)
) WITHOUT ROWID;
CREATE UNIQUE INDEX registry_version ON registry (site, version);
CREATE INDEX registry_expires ON registry (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE counter (
  site       INTEGER NOT NULL,
  kind       INTEGER NOT NULL,
  key        TEXT    NOT NULL,
  bucket     INTEGER NOT NULL,
  measure    INTEGER NOT NULL,
  value      INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  version    INTEGER NOT NULL,
  PRIMARY KEY (site, kind, key, bucket, measure)
) WITHOUT ROWID;
CREATE INDEX counter_version ON counter (site, version);
CREATE INDEX counter_expires ON counter (expires_at);
