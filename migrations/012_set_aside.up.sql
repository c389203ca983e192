-- How many webhooks wait for a person is asked every some seconds.
CREATE INDEX webhook_inbox_set_aside ON webhook_inbox (received_at, id) WHERE state = 'SET_ASIDE';
