package trustdecision_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/providertest"
	"github.com/creditgraph/creditgraph/internal/provider/trustdecision"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	hit := provider.ReportNotice{ExternalID: sequence, Status: lending.ReportReady, Content: seedContent(t)}
	none := provider.ReportNotice{ExternalID: sequence, Status: lending.ReportNoRecord}
	providertest.Run(t, providertest.Harness{
		New: func(t *testing.T, baseURL string) *provider.Provider {
			t.Helper()
			clock := func() time.Time { return now }
			p, err := trustdecision.New(config(baseURL), trustdecision.Deps{Clock: clock})
			if err != nil {
				t.Fatal(err)
			}
			return p
		},
		Calls: []providertest.Call{
			{
				Name: "order", Capability: lending.CanReport, Class: provider.Write, Do: order,
				Status: http.StatusOK, Answer: []byte(accepted), Want: provider.ReportReceipt{ExternalID: sequence},
			},
			{
				Name: "fetch", Capability: lending.CanReport, Class: provider.Read, Do: fetch,
				Status: http.StatusOK, Answer: seed(t, "hit.json"), Want: hit,
			},
			{
				Name: "fetch nothing", Capability: lending.CanReport, Class: provider.Read, Do: fetch,
				Status: http.StatusOK, Answer: seed(t, "no_record.json"), Want: none,
			},
		},
		Lacks:   lacks,
		Secrets: []string{partnerKey, accessSecret, "22370756505", "22366507571", "Amlodd", "akubueze", "9026061222"},
		Webhooks: &providertest.WebhookHarness{
			Sign:        pushNow,
			Credentials: []string{"partner_code", "timestamp", "access_key", "sign"},
			CoversBody:  false, // sign is over the keys and the time; the token in ext binds the body
			Examples: []providertest.WebhookExample{
				{Name: "hit", Body: seed(t, "hit.json"), Want: provider.Notice{
					Type: lending.EventCreditReportReady, ProviderType: "hit", Report: &hit,
				}},
				{Name: "no record", Body: seed(t, "no_record.json"), Want: provider.Notice{
					Type: lending.EventCreditReportNoRecord, ProviderType: "no_record", Report: &none,
				}},
			},
		},
		// The id of an event is a hash of its body.
		Compare: cmp.Options{cmpopts.IgnoreFields(provider.Notice{}, "ExternalEventID")},
	})
}

func order(ctx context.Context, p *provider.Provider) (any, error) {
	return p.Reports.OrderReport(ctx, seedOrder())
}

func fetch(ctx context.Context, p *provider.Provider) (any, error) {
	return p.Reports.FetchReport(ctx, sequence)
}

// seedContent is what the seed's report is read as; TestSeedsReportIsReadWhole holds the driver to it.
func seedContent(t *testing.T) *lending.ReportContent {
	t.Helper()
	var content lending.ReportContent
	if err := json.Unmarshal(seed(t, "hit.golden.json"), &content); err != nil {
		t.Fatal(err)
	}
	return &content
}

// pushNow signs for another time than the vector's, whose sign the suite uses as a wrong one.
func pushNow(body []byte) provider.WebhookRequest {
	request := push(body)
	request.Query.Set("timestamp", strconv.FormatInt(now.UnixMilli(), 10))
	request.Query.Set("sign", sign(now))
	return request
}

const noCall = "TrustDecision's page has reports alone"

// lacks are the capabilities that TrustDecision does not have, with the reason.
var lacks = map[lending.Capability]string{
	lending.CanReadProfiles:     noCall,
	lending.CanCreateCustomers:  noCall,
	lending.CanReadCreditLines:  noCall,
	lending.CanApplyForLoans:    noCall,
	lending.CanDecideLoans:      noCall,
	lending.CanRecordPayments:   noCall,
	lending.CanScore:            "its report holds no score of creditworthiness",
	lending.CanConfirmScores:    noCall,
	lending.CanManageSuppliers:  noCall,
	lending.CanPayInvoices:      noCall,
	lending.CanStoreDocuments:   noCall,
	lending.CanRegisterWebhooks: "TrustDecision's people set the address of the push by hand",
}
