DROP TABLE webhook_inbox;
DROP TABLE event_counter;
DROP TABLE events;
