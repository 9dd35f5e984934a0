CREATE TABLE fact (
  kind       INTEGER NOT NULL,
  key        TEXT    NOT NULL,
  value      BLOB    NOT NULL,
  expires_at INTEGER,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX fact_expires ON fact (expires_at) WHERE expires_at IS NOT NULL;
ALTER TABLE message ADD COLUMN utf8_header INTEGER NOT NULL DEFAULT 0;
UPDATE message SET utf8_header = 1 WHERE smtputf8 = 1 AND eight_bit = 1;
