-- A webhook that tells of a loan which is not known yet is HELD: awaits is the provider's id of that loan.
ALTER TABLE webhook_inbox ADD COLUMN awaits TEXT NOT NULL DEFAULT '';

CREATE INDEX webhook_inbox_held ON webhook_inbox (provider, awaits) WHERE state = 'HELD';
