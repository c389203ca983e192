DROP TABLE api_clients;
DROP TABLE webhooks;
DROP TABLE documents;
