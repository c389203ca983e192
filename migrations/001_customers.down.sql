DROP TABLE identities;
DROP TABLE customers;
DROP TABLE data_keys;
