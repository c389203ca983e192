CREATE TABLE documents (
  id {{.ID}} NOT NULL PRIMARY KEY,
  customer_id {{.ID}} REFERENCES customers (id),
  provider TEXT NOT NULL,
  external_id TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  invoice_number TEXT NOT NULL,
  url {{.Bytes}},
  url_expires_at {{.Int}} NOT NULL,
  created_at {{.Int}} NOT NULL
){{.Table}};

CREATE TABLE webhooks (
  id {{.ID}} NOT NULL PRIMARY KEY,
  provider TEXT NOT NULL,
  external_id TEXT NOT NULL,
  url TEXT NOT NULL,
  events TEXT NOT NULL,
  active {{.Bool}} NOT NULL,
  created_at {{.Int}} NOT NULL
){{.Table}};

CREATE TABLE api_clients (
  id {{.ID}} NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  secret_hash {{.Bytes}} NOT NULL,
  scopes TEXT NOT NULL,
  created_at {{.Int}} NOT NULL,
  revoked_at {{.Int}} NOT NULL
){{.Table}};
