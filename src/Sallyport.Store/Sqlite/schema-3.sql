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
CREATE TABLE state_version (
  site      INTEGER PRIMARY KEY,
  version   INTEGER NOT NULL,
  forgotten INTEGER NOT NULL
);
CREATE TABLE contact (
  site       INTEGER NOT NULL,
  login      TEXT    NOT NULL,
  segment    INTEGER NOT NULL,
  hashes     BLOB    NOT NULL,
  expires_at INTEGER NOT NULL,
  version    INTEGER NOT NULL,
  PRIMARY KEY (site, login, segment)
) WITHOUT ROWID;
CREATE INDEX contact_expires ON contact (expires_at);
INSERT INTO registry SELECT 1, kind, key, value, expires_at, row_number() OVER (ORDER BY kind, key)
  FROM fact WHERE kind IN (1, 3, 5, 6, 9, 10, 11, 12);
INSERT INTO state_version SELECT 1, count(*), 0 FROM registry;
INSERT INTO contact SELECT 1, substr(key, 1, length(key) - 13),
  (WITH digit (n) AS (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12))
    SELECT sum((instr('0123456789abcdef', substr(substr(fact.key, -12), n, 1)) - 1) << (4 * (12 - n))) FROM digit),
  value, coalesce(expires_at, 0), 1 FROM fact WHERE kind = 8 AND length(key) > 13 AND substr(key, -13, 1) = char(10);
CREATE TEMP TABLE old AS SELECT kind, key, expires_at,
  CASE WHEN json_valid(CAST(value AS TEXT)) THEN CAST(value AS TEXT) ELSE '{}' END AS json FROM fact WHERE kind IN (2, 7, 9);
CREATE TEMP TABLE win AS SELECT column1 AS number, column2 AS path, column3 AS ticks, column4 AS span
  FROM (VALUES (0, '$.minute', 10000000, 60), (1, '$.hour', 600000000, 60), (2, '$.day', 9000000000, 96));
CREATE TEMP TABLE place AS SELECT column1 AS n FROM (VALUES (0), (1), (2), (3), (4));
INSERT INTO counter SELECT 1, 2, old.key, CAST(round(unixepoch(one.value, 'subsec') * 1000) AS INTEGER) AS bucket, 0, count(*), old.expires_at, 1
  FROM old, json_each(old.json, '$.at') one WHERE old.kind = 2 AND old.expires_at IS NOT NULL AND unixepoch(one.value) IS NOT NULL
  GROUP BY old.key, bucket;
INSERT INTO counter SELECT 1, 7, old.key, row.value ->> 0, win.number * 16 + place.n, row.value ->> (place.n + 1),
  ((row.value ->> 0) + win.span + 1) * (win.ticks / 10) - 62135596800000000, 1
  FROM old, win, json_each(old.json, win.path) row, place
  WHERE old.kind = 7 AND json_type(row.value) = 'array' AND coalesce(row.value ->> (place.n + 1), 0) <> 0;
INSERT INTO counter SELECT 1, 7, old.key || char(10) || net.key, (net.value + 62135596800) / 900, 48, 1, (net.value + 87300) * 1000000, 1
  FROM old, json_each(old.json, '$.networks') net WHERE old.kind = 7 AND net.type = 'integer';
INSERT INTO counter SELECT 1, 7, 'login:' || old.key, row.value ->> 0, win.number * 16 + 5 + place.n, row.value ->> (place.n + 1),
  ((row.value ->> 0) + win.span + 1) * (win.ticks / 10) - 62135596800000000, 1
  FROM old, win, json_each(old.json, win.path) row, place
  WHERE old.kind = 9 AND win.number > 0 AND place.n < 4 AND json_type(row.value) = 'array' AND coalesce(row.value ->> (place.n + 1), 0) <> 0;
INSERT INTO counter SELECT 1, 7, 'login:' || old.key, row.value ->> 0, 2 * 16 + 9 + place.n, row.value ->> (place.n + 1),
  ((row.value ->> 0) + 97) * 900000000 - 62135596800000000, 1
  FROM old, json_each(old.json, '$.outcomes') row, place
  WHERE old.kind = 9 AND place.n < 2 AND json_type(row.value) = 'array' AND coalesce(row.value ->> (place.n + 1), 0) <> 0;
CREATE TEMP TABLE sent AS SELECT old.key AS login, old.json ->> '$.day_number' AS day, old.json ->> '$.hours_today' AS hours, measure.n,
  coalesce(old.json ->> ('$.today.' || measure.name), 0) AS today,
  min(coalesce(old.json ->> ('$.peak_today.' || measure.name), 0), coalesce(old.json ->> ('$.today.' || measure.name), 0)) AS peak
  FROM old, (SELECT column1 AS n, column2 AS name FROM (VALUES (0, 'messages'), (1, 'recipients'), (2, 'first_time_recipients'), (3, 'bytes'))) measure
  WHERE old.kind = 9 AND (old.json ->> '$.day_number') > 0;
INSERT INTO counter WITH RECURSIVE hour (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM hour WHERE n < 23)
  SELECT 1, 14, sent.login, sent.day * 24 + hour.n, sent.n,
    CASE hour.n WHEN 0 THEN sent.peak WHEN 1 THEN sent.today - sent.peak ELSE 0 END,
    (sent.day + 4) * 86400000000 - 62135596800000000, 1
  FROM sent, hour WHERE hour.n < sent.hours;
DROP TABLE sent;
DROP TABLE place;
DROP TABLE win;
DROP TABLE old;
DROP TABLE fact;
