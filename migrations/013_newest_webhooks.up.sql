-- When each provider's newest webhook came is one step in this index.
CREATE INDEX webhook_inbox_newest ON webhook_inbox (provider, received_at);
