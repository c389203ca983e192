CREATE TABLE data_keys (
  version {{.Int}} NOT NULL PRIMARY KEY,
  proof {{.Bytes}} NOT NULL
){{.Table}};

CREATE TABLE customers (
  id {{.ID}} NOT NULL PRIMARY KEY,
  first_name TEXT NOT NULL,
  last_name TEXT NOT NULL,
  email TEXT NOT NULL,
  phone TEXT NOT NULL,
  date_of_birth TEXT NOT NULL,
  gender TEXT NOT NULL,
  nationality TEXT NOT NULL,
  status TEXT NOT NULL,
  provider_status TEXT NOT NULL,
  kyc_status TEXT NOT NULL,
  address TEXT NOT NULL,
  employment TEXT NOT NULL,
  identification_type TEXT NOT NULL,
  identification_number {{.Bytes}},
  identification_expires_on TEXT NOT NULL,
  search TEXT NOT NULL,
  created_at {{.Int}} NOT NULL,
  updated_at {{.Int}} NOT NULL
){{.Table}};

CREATE INDEX customers_created ON customers (created_at, id);

CREATE TABLE identities (
  customer_id {{.ID}} NOT NULL REFERENCES customers (id),
  provider TEXT NOT NULL,
  external_id {{.Bytes}} NOT NULL,
  external_index {{.Bytes}} NOT NULL,
  linked_at {{.Int}} NOT NULL,
  PRIMARY KEY (customer_id, provider)
){{.Table}};

CREATE UNIQUE INDEX identities_external ON identities (provider, external_index);
