package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/Khan/genqlient/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/creditgraph/creditgraph/examples/go/graph"
)

// refusedError is what the sender can mend. Nothing was sent to the provider.
type refusedError struct {
	userErrors []*graph.ApplyForLoanApplyForLoanApplyForLoanPayloadUserErrorsUserError
}

func (e *refusedError) Error() string {
	var told []string
	for _, one := range e.userErrors {
		told = append(told, fmt.Sprintf("%s %s: %s", one.Code, strings.Join(one.Field, "."), one.Message))
	}
	return strings.Join(told, "\n")
}

const attempts = 5

// apply applies for a loan. Where no answer comes, or the service says that it may be tried again, it is sent again with
// the same key: the service does it once, however often it is asked. It is never sent with another key.
func apply(ctx context.Context, s *session, input *graph.ApplyForLoanInput) (*graph.ApplyForLoanApplyForLoanApplyForLoanPayload, error) {
	for attempt := 1; ; attempt++ {
		data, err := graph.ApplyForLoan(ctx, s.graph(), input)
		if data != nil && data.ApplyForLoan != nil {
			payload := data.ApplyForLoan
			if len(payload.UserErrors) > 0 {
				return nil, &refusedError{payload.UserErrors}
			}
			if payload.Operation != nil && !again(&payload.Operation.Op) {
				return payload, nil
			}
		}
		if attempt == attempts || !retryable(err) {
			return nil, missing("application", err)
		}
		if err := s.pause(ctx, attempt); err != nil {
			return nil, err
		}
	}
}

// again tells whether an operation failed in a way that another attempt may mend.
func again(o *graph.Op) bool {
	return o.Status == graph.OperationStatusFailed && o.Failure != nil && o.Failure.Retryable
}

// retryable tells whether to send the same again: the service says so, or no answer came.
func retryable(err error) bool {
	var problems gqlerror.List
	var answered *graphql.HTTPError
	if errors.As(err, &answered) {
		problems = answered.Response.Errors
	} else if !errors.As(err, &problems) {
		return err != nil
	}
	return slices.ContainsFunc(problems, func(problem *gqlerror.Error) bool {
		yes, _ := problem.Extensions["retryable"].(bool) // an error without it is none
		return yes
	})
}

// open are the states in which an operation may yet move on by itself.
var open = []graph.OperationStatus{graph.OperationStatusInProgress, graph.OperationStatusAwaitingProvider, graph.OperationStatusOutcomeUnknown}

// settled waits until an operation is settled or needs the customer, through any interruption. Each connection begins
// with the operation as it is, so that there is no place to come back to.
func settled(ctx context.Context, s *session, id string, tell func(graph.OperationStatus)) (graph.OperationStatus, error) {
	for attempt := 0; ; attempt++ {
		document := request{Query: graph.OperationUpdates_Operation, Variables: map[string]any{"id": id}}
		for message, err := range stream[graph.OperationUpdatesResponse](ctx, s, document, "") {
			if err != nil {
				if !retryable(err) {
					return "", err
				}
				break
			}
			attempt = 0
			status := message.data.OperationUpdated.Status
			tell(status)
			if !slices.Contains(open, status) {
				return status, nil
			}
		}
		if err := s.pause(ctx, attempt); err != nil {
			return "", err
		}
	}
}

func printApplication(ctx context.Context, s *session, out, log io.Writer, customerID, key, amount string) error {
	product, purpose, bank, name := "prod_personal_loan", graph.LoanPurposeExpansionAndGrowth, "058", "A. Person"
	payload, err := apply(ctx, s, &graph.ApplyForLoanInput{
		IdempotencyKey: key, CustomerId: customerID, Provider: graph.CreditProviderKredete, ProductId: &product,
		Principal: &graph.MoneyInput{Amount: amount, Currency: "NGN"}, Tenure: &graph.TenureInput{Value: 90, Unit: graph.TenureUnitDay},
		Purpose: &purpose, DisbursementAccount: &graph.BankAccountInput{BankCode: &bank, AccountNumber: "1234567890", AccountName: &name},
	})
	if err != nil {
		return err
	}
	operation, loanID, replayed := payload.Operation, "-", "new"
	if payload.Loan != nil {
		loanID = payload.Loan.Id
	}
	if operation.Replayed {
		replayed = "replayed"
	}
	fmt.Fprintln(out, operation.Status, replayed, loanID, operation.Id)
	if operation.Status != graph.OperationStatusOutcomeUnknown && operation.Status != graph.OperationStatusInProgress {
		return nil
	}
	fmt.Fprintln(log, "it is not known whether there is a loan; waiting until it is")
	status, err := settled(ctx, s, operation.Id, func(status graph.OperationStatus) { fmt.Fprintln(log, "the operation is", status) })
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "settled", status)
	return nil
}
