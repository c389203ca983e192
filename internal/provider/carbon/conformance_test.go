package carbon_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/carbon"
	"github.com/creditgraph/creditgraph/internal/provider/providertest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	providertest.Run(t, providertest.Harness{
		New: func(t *testing.T, baseURL string) *provider.Provider {
			t.Helper()
			p, err := carbon.New(carbon.Config{BaseURL: baseURL, APIKey: apiKey}, carbon.Deps{})
			if err != nil {
				t.Fatal(err)
			}
			return p
		},
		Calls: []providertest.Call{
			{
				Name: "apply", Capability: lending.CanApplyForLoans, Class: provider.DedupedWrite, Do: apply,
				Status: http.StatusCreated, Answer: example(t, "created.json"),
				Want: provider.LoanResult{Loan: lending.Loan{
					Provider: lending.Carbon, ExternalID: applicationID, Reference: "MERCH_REF_001",
					Status: lending.LoanPendingReview, ProviderStatus: "PENDING",
				}},
			},
		},
		Lacks:   lacks,
		Secrets: []string{apiKey, customerID, "MERCH_REF_001"},
	})
}

func apply(ctx context.Context, p *provider.Provider) (any, error) {
	return p.Applications.Apply(ctx, application())
}

const noCall = "Carbon's page has one call, apply"

// lacks are the capabilities that Carbon does not have, with the reason.
var lacks = map[lending.Capability]string{
	lending.CanReadProfiles:     noCall,
	lending.CanCreateCustomers:  noCall,
	lending.CanReadCreditLines:  noCall,
	lending.CanDecideLoans:      "Carbon decides itself",
	lending.CanRecordPayments:   "Carbon collects itself",
	lending.CanScore:            noCall,
	lending.CanConfirmScores:    noCall,
	lending.CanReport:           noCall,
	lending.CanManageSuppliers:  noCall,
	lending.CanPayInvoices:      noCall,
	lending.CanStoreDocuments:   noCall,
	lending.CanRegisterWebhooks: noCall,
	lending.CanSendWebhooks:     "the page describes none; the public site announces some without their bodies",
}
