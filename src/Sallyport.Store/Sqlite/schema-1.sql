CREATE TABLE message (
  id            INTEGER PRIMARY KEY,
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
  hold_reason   TEXT,
  header_bytes  INTEGER NOT NULL,
  content_bytes INTEGER NOT NULL,
  chunks        INTEGER NOT NULL,
  content       BLOB    NOT NULL
);
CREATE TABLE chunk (
  queue_id TEXT    NOT NULL,
  number   INTEGER NOT NULL,
  octets   BLOB    NOT NULL
);
CREATE UNIQUE INDEX chunk_order ON chunk (queue_id, number);
CREATE TABLE recipient (
  message         INTEGER NOT NULL,
  number          INTEGER NOT NULL,
  path            TEXT    NOT NULL,
  notify          INTEGER NOT NULL,
  orcpt           TEXT,
  state           INTEGER NOT NULL,
  attempts        INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  last_reply      TEXT    NOT NULL,
  delay_reported  INTEGER NOT NULL,
  PRIMARY KEY (message, number)
) WITHOUT ROWID;
CREATE INDEX recipient_due ON recipient (next_attempt_at) WHERE state = 0;
CREATE TABLE account (
  login      TEXT    NOT NULL PRIMARY KEY,
  iterations INTEGER NOT NULL,
  salt       BLOB    NOT NULL,
  stored_key BLOB    NOT NULL,
  server_key BLOB    NOT NULL,
  addresses  TEXT    NOT NULL,
  disabled   INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE setting (
  name  TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;
