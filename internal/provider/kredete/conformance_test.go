package kredete_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/providertest"
)

var (
	applied = time.Date(2026, 4, 16, 11, 0, 0, 0, time.UTC)
	scored  = time.Date(2026, 4, 16, 10, 30, 0, 0, time.UTC)
	paid    = time.Date(2026, 5, 16, 10, 30, 0, 0, time.UTC)
)

func exampleProfile() lending.Profile {
	return lending.Profile{
		ExternalID: "cust_2xK9mN3pQ7vR", FirstName: "Adewale", LastName: "Okonkwo",
		Email: "adewale.okonkwo@email.com", Phone: "+2348012345678",
		Status: lending.CustomerPendingKYC, ProviderStatus: "pending_kyc", KYCStatus: lending.KYCNotStarted,
		CreatedAt: scored, UpdatedAt: scored,
	}
}

func exampleLoanResult() provider.LoanResult {
	return provider.LoanResult{
		CustomerExternalID: "cust_2xK9mN3pQ7vR", Told: []string{"principal", "tenure", "customer"},
		Loan: lending.Loan{
			Provider: lending.Kredete, ExternalID: "loan_5tY8kL2mN9pQ", ProductID: "prod_personal_loan",
			Status: lending.LoanPendingReview, ProviderStatus: "pending_review",
			Principal: naira("500000"), InterestRate: new(lending.MustDecimal("2.5")),
			TotalInterest: new(naira("37500")), TotalRepayment: new(naira("537500")), Installment: new(naira("179167")),
			Tenure: lending.Tenure{Value: 90, Unit: lending.Days}, CreatedAt: applied,
		},
	}
}

func examplePaymentResult() lending.Payment {
	return lending.Payment{
		Provider: lending.Kredete, ExternalID: "pmt_7rU2kM8nP4qS", Status: lending.PaymentCompleted,
		ProviderStatus: "completed", Amount: naira("179167"), Method: lending.BankTransfer,
		Reference: "TRF-20260516-001", PaidOn: lending.NewDate(2026, 5, 16), CreatedAt: paid,
		Allocation: &lending.Allocation{
			Principal: new(naira("166667")), Interest: new(naira("12500")), Fees: new(naira("0")), Penalties: new(naira("0")),
		},
	}
}

func exampleScoreResult() provider.ScoreResult {
	return provider.ScoreResult{State: provider.ScoreCompleted, Score: &lending.CreditScore{
		Provider: lending.Kredete, ExternalID: "score_3wE5jK9lM2nQ", Value: lending.MustDecimal("720"),
		Scale:      &lending.ScoreScale{Min: lending.MustDecimal("300"), Max: lending.MustDecimal("850"), Assumed: true},
		Normalized: new(lending.MustDecimal("0.7636")), Band: lending.BandGood, ProviderBand: "good",
		RiskCategory: lending.RiskLow, ProviderRisk: "low", ProbabilityOfDefault: new(lending.MustDecimal("0.03")),
		RecommendedLimit: new(naira("750000")), RecommendedTenureDays: 180,
		Factors: []lending.ScoreFactor{
			{Factor: "payment_history", Impact: lending.ImpactPositive, Description: "Excellent payment history on previous loans"},
			{Factor: "credit_utilization", Impact: lending.ImpactNeutral, Description: "Moderate credit utilization"},
		},
		ScoredAt: scored, ValidUntil: scored.AddDate(0, 0, 7),
	}}
}

func decided(status lending.LoanStatus) provider.LoanResult {
	return provider.LoanResult{Loan: lending.Loan{Provider: lending.Kredete, ExternalID: "loan_5tY8kL2mN9pQ", Status: status}}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	const none = "Kredete has no such call."
	call := func(name string, capability lending.Capability, class provider.Class, status int, answer string, want any) providertest.Call {
		return providertest.Call{
			Name: name, Capability: capability, Class: class, Status: status, Answer: []byte(answer), Want: want,
			Do:        func(ctx context.Context, p *provider.Provider) (any, error) { return act(ctx, p, name) },
			SentOn401: 2, // a 401 is answered with a new token and one more try
		}
	}
	providertest.Run(t, providertest.Harness{
		New: func(t *testing.T, baseURL string) *provider.Provider { return newDriver(t, baseURL+"/v2") },
		Aside: func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/v2/oauth/token" {
				return false
			}
			// net/http sends a GET again by itself when a connection that it used before breaks; the suite
			// counts what the driver sends, so each call gets a connection of its own.
			w.Header().Set("Connection", "close")
			_, _ = w.Write(seed(t, "token.json"))
			return true
		},
		Calls: []providertest.Call{
			call("create customer", lending.CanCreateCustomers, provider.Write, 201, string(seed(t, "customer.json")), exampleProfile()),
			call("profile", lending.CanReadProfiles, provider.Read, 200, string(seed(t, "customer.json")), exampleProfile()),
			call("list profiles", lending.CanReadProfiles, provider.Read, 200, `{"data":[`+string(seed(t, "customer.json"))+`],"total":1}`,
				provider.ProfilePage{Profiles: []lending.Profile{exampleProfile()}, Total: 1}),
			call("apply", lending.CanApplyForLoans, provider.Write, 201, string(seed(t, "loan.json")), exampleLoanResult()),
			call("approve", lending.CanDecideLoans, provider.Write, 200, `{"status":"approved"}`, approvedByStatus()),
			call("reject", lending.CanDecideLoans, provider.Write, 200, `{ }`, decided(lending.LoanRejected)),
			call("disburse", lending.CanDecideLoans, provider.Write, 202, `{ }`, decided(lending.LoanDisbursing)),
			call("record payment", lending.CanRecordPayments, provider.Write, 201, string(seed(t, "payment.json")), examplePaymentResult()),
			call("request score", lending.CanScore, provider.Write, 200, string(seed(t, "score.json")), exampleScoreResult()),
			call("register webhook", lending.CanRegisterWebhooks, provider.Write, 201, `{"id":"wh_1","active":true}`, lending.Webhook{
				Provider: lending.Kredete, ExternalID: "wh_1", URL: exampleRegistration.URL, Events: exampleRegistration.Events,
				Active: true, CreatedAt: now,
			}),
		},
		Lacks: map[lending.Capability]string{
			lending.CanReadCreditLines: none, lending.CanReport: none, lending.CanManageSuppliers: none,
			lending.CanPayInvoices: none, lending.CanStoreDocuments: none,
			lending.CanConfirmScores: "Kredete answers a score at once.",
		},
		Secrets: []string{
			clientSecret, webhookSecret, accessToken, "Adewale", "Okonkwo", "adewale.okonkwo@email.com",
			"2348012345678", "12345678901", "1234567890", "cust_2xK9mN3pQ7vR",
		},
		Webhooks: &providertest.WebhookHarness{
			Sign: func(body []byte) provider.WebhookRequest {
				return signed("X-Kredete-Signature", signature(body), body)
			},
			Credentials: []string{"X-Kredete-Signature"}, CoversBody: true,
			Examples: []providertest.WebhookExample{{
				Name: "loan.disbursed", Body: seed(t, "webhook.json"), Want: disbursedNotice(),
			}},
		},
	})
}

func approvedByStatus() provider.LoanResult {
	r := decided(lending.LoanApproved)
	r.Loan.ProviderStatus = "approved"
	return r
}

func disbursedNotice() provider.Notice {
	return provider.Notice{
		Type: lending.EventLoanDisbursed, ProviderType: "loan.disbursed", ExternalEventID: "evt_2xK9mN3pQ7vR",
		OccurredAt: time.Date(2026, 4, 17, 9, 0, 0, 0, time.UTC), CustomerExternalID: "cust_2xK9mN3pQ7vR",
		Loan: &provider.LoanNotice{
			CustomerExternalID: "cust_2xK9mN3pQ7vR",
			Loan: lending.Loan{
				Provider: lending.Kredete, ExternalID: "loan_5tY8kL2mN9pQ", Status: lending.LoanDisbursed,
				ProviderStatus: "loan.disbursed", Principal: naira("500000"), DisbursedOn: lending.NewDate(2026, 4, 17),
				DisbursementReference: "DISB-2026041700001",
			},
		},
	}
}

func signature(body []byte) string {
	mac := hmac.New(sha256.New, []byte(webhookSecret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// signed is a webhook with headers given as name, value, name, value.
func signed(name, value string, body []byte) provider.WebhookRequest {
	h := http.Header{}
	h.Set(name, strings.TrimSpace(value))
	return provider.WebhookRequest{Method: http.MethodPost, Header: h, Body: body, ReceivedAt: now}
}
