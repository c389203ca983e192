DROP INDEX webhook_inbox_set_aside;
