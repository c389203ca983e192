CREATE TABLE credit_scores (
  id {{.ID}} NOT NULL PRIMARY KEY,
  customer_id {{.ID}} REFERENCES customers (id),
  provider TEXT NOT NULL,
  external_id TEXT NOT NULL,
  value TEXT NOT NULL,
  scale_min TEXT NOT NULL,
  scale_max TEXT NOT NULL,
  scale_assumed {{.Bool}} NOT NULL,
  normalized TEXT NOT NULL,
  band TEXT NOT NULL,
  provider_band TEXT NOT NULL,
  risk_category TEXT NOT NULL,
  provider_risk TEXT NOT NULL,
  probability_of_default TEXT NOT NULL,
  confidence TEXT NOT NULL,
  recommended_limit_currency TEXT NOT NULL,
  recommended_limit_minor {{.Int}},
  recommended_tenure_days {{.Int}} NOT NULL,
  factors TEXT NOT NULL,
  scored_at {{.Int}} NOT NULL,
  valid_until {{.Int}} NOT NULL
){{.Table}};

CREATE UNIQUE INDEX credit_scores_external ON credit_scores (provider, external_id) WHERE external_id <> '';
CREATE INDEX credit_scores_customer ON credit_scores (customer_id, scored_at, id);

CREATE TABLE credit_reports (
  id {{.ID}} NOT NULL PRIMARY KEY,
  customer_id {{.ID}} REFERENCES customers (id),
  provider TEXT NOT NULL,
  external_id TEXT NOT NULL,
  status TEXT NOT NULL,
  ordered_at {{.Int}} NOT NULL,
  received_at {{.Int}} NOT NULL,
  content {{.Bytes}},
  failure TEXT NOT NULL,
  conflict {{.Bool}} NOT NULL
){{.Table}};

CREATE UNIQUE INDEX credit_reports_external ON credit_reports (provider, external_id) WHERE external_id <> '';
CREATE INDEX credit_reports_customer ON credit_reports (customer_id, ordered_at, id);
CREATE INDEX credit_reports_waiting ON credit_reports (provider, ordered_at, id)
  WHERE status IN ('ORDERED', 'OUTCOME_UNKNOWN');
