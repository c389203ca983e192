-- Who saw personal data in full, and who changed something. Nothing deletes these rows but the operator.
CREATE TABLE audit_records (
  id {{.ID}} NOT NULL PRIMARY KEY,
  at {{.Int}} NOT NULL,
  client_id {{.ID}} NOT NULL,
  request_id {{.ID}} NOT NULL,
  action TEXT NOT NULL,
  operation_name TEXT NOT NULL,
  fields TEXT NOT NULL,
  customer_id {{.ID}} NOT NULL,
  error_code TEXT NOT NULL
){{.Table}};

CREATE INDEX audit_records_at ON audit_records (at, id);
CREATE INDEX audit_records_customer ON audit_records (customer_id, at, id);
CREATE INDEX audit_records_client ON audit_records (client_id, at, id);
CREATE INDEX audit_records_request ON audit_records (request_id);
