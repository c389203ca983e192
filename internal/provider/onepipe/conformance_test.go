package onepipe_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/onepipe"
	"github.com/creditgraph/creditgraph/internal/provider/providertest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	completed := provider.ScoreResult{State: provider.ScoreCompleted, Score: seedScore(), ProviderStatus: "Successful"}
	const noOther = "OnePipe is connected for its scores alone"
	providertest.Run(t, providertest.Harness{
		New: func(t *testing.T, baseURL string) *provider.Provider {
			t.Helper()
			transport := &http.Transport{}
			t.Cleanup(transport.CloseIdleConnections)
			p, err := onepipe.New(config(baseURL+"/v2"), onepipe.Deps{Transport: transport, Clock: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			return p
		},
		Calls: []providertest.Call{
			{
				Name: "request a score", Capability: lending.CanScore, Class: provider.Write,
				Do: func(ctx context.Context, p *provider.Provider) (any, error) {
					r := scoreRequest()
					r.Account = bankAccount()
					return p.Scores.RequestScore(ctx, r)
				},
				Status: http.StatusOK, Answer: []byte(file(t, "waiting_for_otp.json")),
				Want: provider.ScoreResult{
					State: provider.ScoreOTPRequired, Prompt: "Please enter the OTP sent to 2348022****08", ProviderStatus: "WaitingForOTP",
				},
			},
			{
				Name: "confirm a score", Capability: lending.CanConfirmScores, Class: provider.Write,
				Do: func(ctx context.Context, p *provider.Provider) (any, error) {
					return p.Confirmations.ConfirmScore(ctx, provider.ScoreConfirmation{Reference: reference, Secret: "123456"})
				},
				Status: http.StatusOK, Answer: []byte(file(t, "successful.json")), Want: completed,
			},
			{
				Name: "query a score", Capability: lending.CanConfirmScores, Class: provider.Read,
				Do: func(ctx context.Context, p *provider.Provider) (any, error) {
					return p.Confirmations.QueryScore(ctx, reference)
				},
				Status: http.StatusOK, Answer: []byte(file(t, "successful.json")), Want: completed,
			},
		},
		Lacks: map[lending.Capability]string{
			lending.CanReadProfiles: noOther, lending.CanCreateCustomers: noOther, lending.CanReadCreditLines: noOther,
			lending.CanApplyForLoans: noOther, lending.CanDecideLoans: noOther, lending.CanRecordPayments: noOther,
			lending.CanReport: noOther, lending.CanManageSuppliers: noOther, lending.CanPayInvoices: noOther,
			lending.CanStoreDocuments: noOther, lending.CanRegisterWebhooks: noOther,
			lending.CanSendWebhooks: "a request that waits is asked for by /transact/query",
		},
		Secrets: []string{
			apiKey, secret, "1234567890", "058", "123456", "2348023431320", "TX3Dx+9yT7UBm5eO5pAeTQ==", "ujuusmanu@gmail.com", "Usmanu",
		},
	})
}
