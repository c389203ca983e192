DROP INDEX webhook_inbox_held;

UPDATE webhook_inbox SET state = 'APPLIED' WHERE state = 'HELD';

ALTER TABLE webhook_inbox DROP COLUMN awaits;
