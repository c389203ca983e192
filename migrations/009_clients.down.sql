ALTER TABLE api_clients DROP COLUMN plan;
ALTER TABLE api_clients DROP COLUMN customer_id;
