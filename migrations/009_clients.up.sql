-- The only customer that the client's tokens open, '' for all; and how much it may ask for.
ALTER TABLE api_clients ADD COLUMN customer_id {{.ID}} NOT NULL DEFAULT '';
ALTER TABLE api_clients ADD COLUMN plan TEXT NOT NULL DEFAULT 'starter';
