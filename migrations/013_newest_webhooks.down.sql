DROP INDEX webhook_inbox_newest;
