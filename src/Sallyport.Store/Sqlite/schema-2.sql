CREATE TABLE fact (
  kind       INTEGER NOT NULL,
  key        TEXT    NOT NULL,
  value      BLOB    NOT NULL,
  expires_at INTEGER,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX fact_expires ON fact (expires_at) WHERE expires_at IS NOT NULL;
