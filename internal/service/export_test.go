package service

import (
	"context"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// The background parts take their steps one at a time in tests, which wait for nothing so.

// Drain applies what the inbox holds.
func (s *Service) Drain(ctx context.Context) error { return s.drainInbox(ctx) }

// Deliver applies one delivery that was claimed.
func (s *Service) Deliver(ctx context.Context, delivery *Delivery) error {
	return s.deliver(ctx, delivery)
}

// Complete looks once for operations that were left unfinished.
func (s *Service) Complete(ctx context.Context) error { return s.complete(ctx) }

// Poller looks for reports that are due, each time it is called.
func (s *Service) Poller() func(ctx context.Context) error {
	asked := map[lending.ReportID]time.Time{}
	return func(ctx context.Context) error { return s.pollReports(ctx, asked) }
}

// MergeNews brings a loan up to date with what its provider tells.
func MergeNews(loan, told *lending.Loan, after []string) (conflict bool) {
	return mergeNews(loan, told, after)
}

// ReportToken is the token that an order carries.
func (s *Service) ReportToken(id lending.OperationID) string { return s.reportToken(id) }
