CREATE TABLE events (
  sequence {{.Int}} NOT NULL PRIMARY KEY,
  id {{.ID}} NOT NULL,
  type TEXT NOT NULL,
  provider_type TEXT NOT NULL,
  provider TEXT NOT NULL,
  source TEXT NOT NULL,
  customer_id {{.ID}} NOT NULL,
  loan_id {{.ID}} NOT NULL,
  payment_id TEXT NOT NULL,
  score_id TEXT NOT NULL,
  report_id TEXT NOT NULL,
  operation_id {{.ID}} NOT NULL,
  occurred_at {{.Int}} NOT NULL,
  received_at {{.Int}} NOT NULL,
  payload TEXT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX events_id ON events (id);
CREATE INDEX events_customer ON events (customer_id, sequence);
CREATE INDEX events_loan ON events (loan_id, sequence);
CREATE INDEX events_operation ON events (operation_id, sequence);

-- The one row of the counter is what appending transactions queue at: its lock is held until they commit,
-- so that numbers become visible in their order.
CREATE TABLE event_counter (
  id {{.Int}} NOT NULL PRIMARY KEY CHECK (id = 1),
  last {{.Int}} NOT NULL
){{.Table}};

INSERT INTO event_counter (id, last) VALUES (1, 0);

CREATE TABLE webhook_inbox (
  id {{.ID}} NOT NULL PRIMARY KEY,
  provider TEXT NOT NULL,
  dedupe_key TEXT NOT NULL,
  nonce TEXT NOT NULL,
  body {{.Bytes}},
  received_at {{.Int}} NOT NULL,
  state TEXT NOT NULL,
  attempts {{.Int}} NOT NULL,
  next_try_at {{.Int}} NOT NULL,
  last_error TEXT NOT NULL,
  updated_at {{.Int}} NOT NULL
){{.Table}};

CREATE UNIQUE INDEX webhook_inbox_dedupe ON webhook_inbox (provider, dedupe_key);
CREATE UNIQUE INDEX webhook_inbox_nonce ON webhook_inbox (provider, nonce) WHERE nonce <> '';
CREATE INDEX webhook_inbox_due ON webhook_inbox (received_at, id) WHERE state = 'RECEIVED';
