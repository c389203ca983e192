DROP INDEX customers_unsealed;
DROP INDEX customers_phone;
DROP INDEX customers_email;
ALTER TABLE customers DROP COLUMN phone_index;
ALTER TABLE customers DROP COLUMN phone_sealed;
ALTER TABLE customers DROP COLUMN email_index;
ALTER TABLE customers DROP COLUMN email_sealed;
