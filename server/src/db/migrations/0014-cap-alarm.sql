-- Health asks every few seconds whether an alarm stands; there are few, among many messages.
CREATE INDEX cap_message_alarm ON cap_message (source_id, received_at) WHERE state = 'alarm';
