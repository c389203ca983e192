-- How far the log was deleted: every event up to this sequence number is gone, and none behind it.
ALTER TABLE event_counter ADD COLUMN pruned {{.Int}} NOT NULL DEFAULT 0;
