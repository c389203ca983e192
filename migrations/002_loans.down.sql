DROP TABLE payments;
DROP TABLE loan_installments;
DROP TABLE loans;
