package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/creditgraph/creditgraph/internal/datakey"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
	"github.com/creditgraph/creditgraph/internal/store"
)

// seed gives the customers that were imported what the shapes ask for: who they are at the other providers,
// ten loans, and a score. It gives the places behind which pages of the table begin, and the ids of the customers, in the
// order of the list.
func seed(ctx context.Context, database, secret string, people *world.World) (ids, cursors []string, err error) {
	k, err := datakey.Derive(secret)
	if err != nil {
		return nil, nil, err
	}
	records, err := store.Open(ctx, store.Config{URL: database, DataKey: k.Records})
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = records.Close() }() // what was written is committed
	err = records.InTx(ctx, func(ctx context.Context) error {
		for i := range people.Size() {
			if err := seedPerson(ctx, records, people.Person(i)); err != nil {
				return fmt.Errorf("person %d: %w", i, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	page := lending.PageRequest{First: 100}
	for {
		customers, err := records.ListCustomers(ctx, lending.CustomerFilter{}, page)
		if err != nil {
			return nil, nil, err
		}
		for _, edge := range customers.Edges {
			ids, cursors = append(ids, lending.GlobalID(lending.CustomerNode, edge.Node.ID)), append(cursors, edge.Cursor)
		}
		if !customers.HasNext {
			return ids, cursors, nil
		}
		page.After = customers.Edges[len(customers.Edges)-1].Cursor
	}
}

func seedPerson(ctx context.Context, records *store.Store, p world.Person) error {
	id, err := records.CustomerByIdentity(ctx, lending.Kredete, p.KredeteID)
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	for name, externalID := range map[lending.Provider]string{
		lending.TrustDecision: p.BVN, lending.Kredmint: p.KredmintMobile, lending.Carbon: p.CarbonID, lending.OnePipe: p.CustomerRef,
	} {
		if externalID == "" {
			continue
		}
		if err := records.Link(ctx, lending.Identity{CustomerID: id, Provider: name, ExternalID: externalID, LinkedAt: now}); err != nil {
			return err
		}
	}
	for n := range pageLoans {
		principal := lending.NewMoney(int64(100_000+1_000*n)*100, lending.NGN)
		if err := records.SaveLoan(ctx, &lending.Loan{
			ID: lending.LoanID(newID()), CustomerID: id, Provider: lending.Kredete, ExternalID: fmt.Sprintf("loan_bench_%d_%d", p.Index, n),
			Status: lending.LoanDisbursed, ProviderStatus: "disbursed", Purpose: lending.WorkingCapital, Principal: principal,
			Tenure: lending.Tenure{Value: 90, Unit: lending.Days}, DisbursedOn: lending.DateOf(now),
			CreatedAt: now.Add(-time.Duration(n) * time.Hour), UpdatedAt: now,
		}); err != nil {
			return err
		}
	}
	score := &lending.CreditScore{
		ID: lending.ScoreID(newID()), CustomerID: id, Provider: lending.Kredete, ExternalID: fmt.Sprintf("score_bench_%d", p.Index),
		Value: lending.NewDecimal(int64(p.KredeteScore), 0), Scale: &lending.ScoreScale{Min: lending.NewDecimal(300, 0), Max: lending.NewDecimal(850, 0)},
		RiskCategory: lending.RiskLow, ScoredAt: now, ValidUntil: now.Add(24 * time.Hour),
		Factors: []lending.ScoreFactor{{Factor: "payment_history", Impact: lending.ImpactPositive, Description: "Consistent on-time payments"}},
	}
	score.Rate()
	return records.SaveScore(ctx, score)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
