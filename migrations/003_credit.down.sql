DROP TABLE credit_reports;
DROP TABLE credit_scores;
