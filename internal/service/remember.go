package service

import (
	"encoding/json"
	"fmt"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// remembered is the part of a result that a replay repeats.
type remembered struct {
	lending.Private
	Customer    *lending.Customer     `json:"customer,omitempty"`
	Loan        *lending.Loan         `json:"loan,omitempty"`
	Payment     *lending.Payment      `json:"payment,omitempty"`
	Score       *lending.CreditScore  `json:"score,omitempty"`
	Report      *lending.CreditReport `json:"report,omitempty"`
	Supplier    *lending.Supplier     `json:"supplier,omitempty"`
	Document    *lending.Document     `json:"document,omitempty"`
	Webhook     *lending.Webhook      `json:"webhook,omitempty"`
	CustomerID  lending.CustomerID    `json:"customerId,omitempty"` // of Supplier, which does not carry it
	RedirectURL string                `json:"redirectUrl,omitempty"`
	Problems    []lending.Problem     `json:"problems,omitempty"`
}

// remember keeps what was answered with the operation.
func remember(op *lending.Operation, r *Result) error {
	kept := remembered{
		Customer: r.Customer, Loan: r.Loan, Payment: r.Payment, Score: r.Score, Report: r.Report,
		Supplier: r.Supplier, Document: r.Document, Webhook: r.Webhook, RedirectURL: r.RedirectURL, Problems: r.Problems,
	}
	if r.Supplier != nil {
		kept.CustomerID = r.Supplier.CustomerID
	}
	data, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("keep the answer: %w", err)
	}
	op.Result = data
	return nil
}

// recall is what was answered when the operation was carried out.
func recall(op *lending.Operation) (*Result, error) {
	result := &Result{Operation: op, Warnings: op.Warnings, At: op.UpdatedAt}
	if len(op.Result) == 0 {
		return result, nil
	}
	var kept remembered
	if err := json.Unmarshal(op.Result, &kept); err != nil {
		return nil, fmt.Errorf("read the kept answer: %w", err)
	}
	result.Customer, result.Loan, result.Payment = kept.Customer, kept.Loan, kept.Payment
	result.Score, result.Report, result.Supplier = kept.Score, kept.Report, kept.Supplier
	result.Document, result.Webhook = kept.Document, kept.Webhook
	result.RedirectURL, result.Problems = kept.RedirectURL, kept.Problems
	if result.Supplier != nil {
		result.Supplier.CustomerID = kept.CustomerID
	}
	return result, nil
}
