CREATE TABLE operations (
  id {{.ID}} NOT NULL PRIMARY KEY,
  client_id TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  kind TEXT NOT NULL,
  provider TEXT NOT NULL,
  status TEXT NOT NULL,
  step TEXT NOT NULL,
  customer_id {{.ID}} NOT NULL,
  loan_id {{.ID}} NOT NULL,
  target TEXT NOT NULL,
  entity_id TEXT NOT NULL,
  reference TEXT NOT NULL,
  prompt TEXT NOT NULL,
  failure TEXT NOT NULL,
  input {{.Bytes}},
  result {{.Bytes}},
  warnings TEXT NOT NULL,
  attempts {{.Int}} NOT NULL,
  lease_owner TEXT NOT NULL,
  lease_until {{.Int}} NOT NULL,
  fence {{.Int}} NOT NULL,
  next_check_at {{.Int}} NOT NULL,
  requested_at {{.Int}} NOT NULL,
  settled_at {{.Int}} NOT NULL,
  updated_at {{.Int}} NOT NULL,
  evidence {{.Bytes}}
){{.Table}};

CREATE UNIQUE INDEX operations_key ON operations (client_id, key);
CREATE UNIQUE INDEX operations_target ON operations (target)
  WHERE target <> '' AND status NOT IN ('SUCCEEDED', 'FAILED');
CREATE UNIQUE INDEX operations_reference ON operations (provider, kind, reference)
  WHERE reference <> '' AND status <> 'FAILED';
CREATE INDEX operations_referenced ON operations (provider, kind, reference, requested_at, id) WHERE reference <> '';
CREATE INDEX operations_requested ON operations (requested_at, id);
CREATE INDEX operations_customer ON operations (customer_id, requested_at, id);
CREATE INDEX operations_loan ON operations (loan_id, requested_at, id);
CREATE INDEX operations_due ON operations (next_check_at, id) WHERE status NOT IN ('SUCCEEDED', 'FAILED');
