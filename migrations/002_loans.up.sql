CREATE TABLE loans (
  id {{.ID}} NOT NULL PRIMARY KEY,
  customer_id {{.ID}} REFERENCES customers (id),
  provider TEXT NOT NULL,
  external_id TEXT NOT NULL,
  reference TEXT NOT NULL,
  product_id TEXT NOT NULL,
  supplier_id TEXT NOT NULL,
  status TEXT NOT NULL,
  provider_status TEXT NOT NULL,
  purpose TEXT NOT NULL,
  provider_purpose TEXT NOT NULL,
  currency TEXT NOT NULL,
  principal_minor {{.Int}} NOT NULL,
  interest_rate TEXT NOT NULL,
  total_interest_minor {{.Int}},
  total_repayment_minor {{.Int}},
  installment_minor {{.Int}},
  paid_minor {{.Int}} NOT NULL DEFAULT 0,
  tenure_value {{.Int}} NOT NULL,
  tenure_unit TEXT NOT NULL,
  disbursed_on TEXT NOT NULL,
  disbursement_reference TEXT NOT NULL,
  conflict {{.Bool}} NOT NULL,
  failure_reason TEXT NOT NULL,
  created_at {{.Int}} NOT NULL,
  updated_at {{.Int}} NOT NULL
){{.Table}};

CREATE UNIQUE INDEX loans_external ON loans (provider, external_id) WHERE external_id <> '';
CREATE UNIQUE INDEX loans_reference ON loans (provider, customer_id, reference) WHERE reference <> '';
CREATE INDEX loans_customer ON loans (customer_id, created_at, id);
CREATE INDEX loans_created ON loans (created_at, id);
CREATE INDEX loans_updated ON loans (updated_at, id);
CREATE INDEX loans_principal ON loans (principal_minor, id);

CREATE TABLE loan_installments (
  loan_id {{.ID}} NOT NULL REFERENCES loans (id) ON DELETE CASCADE,
  due_on TEXT NOT NULL,
  number {{.Int}} NOT NULL,
  amount_minor {{.Int}} NOT NULL,
  PRIMARY KEY (loan_id, due_on, number)
){{.Table}};

CREATE TABLE payments (
  id {{.ID}} NOT NULL PRIMARY KEY,
  loan_id {{.ID}} NOT NULL REFERENCES loans (id),
  customer_id {{.ID}} REFERENCES customers (id),
  provider TEXT NOT NULL,
  external_id TEXT NOT NULL,
  status TEXT NOT NULL,
  provider_status TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount_minor {{.Int}} NOT NULL,
  allocation TEXT NOT NULL,
  method TEXT NOT NULL,
  reference TEXT NOT NULL,
  paid_on TEXT NOT NULL,
  created_at {{.Int}} NOT NULL,
  updated_at {{.Int}} NOT NULL
){{.Table}};

CREATE UNIQUE INDEX payments_external ON payments (provider, external_id) WHERE external_id <> '';
CREATE UNIQUE INDEX payments_reference ON payments (loan_id, reference) WHERE reference <> '';
CREATE INDEX payments_loan ON payments (loan_id, created_at, id);
CREATE INDEX payments_customer ON payments (customer_id, created_at, id);
