-- E-mail addresses and phone numbers are sealed, and found by keyed hashes of what they are. The columns email and
-- phone stay for replicas of the version before, which write them: what they hold is moved over, see the store.
ALTER TABLE customers ADD COLUMN email_sealed {{.Bytes}};
ALTER TABLE customers ADD COLUMN email_index {{.Bytes}};
ALTER TABLE customers ADD COLUMN phone_sealed {{.Bytes}};
ALTER TABLE customers ADD COLUMN phone_index {{.Bytes}};

CREATE INDEX customers_email ON customers (email_index) WHERE email_index IS NOT NULL;
CREATE INDEX customers_phone ON customers (phone_index) WHERE phone_index IS NOT NULL;
CREATE INDEX customers_unsealed ON customers (id) WHERE email <> '' OR phone <> '';
