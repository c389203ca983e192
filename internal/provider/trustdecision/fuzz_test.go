package trustdecision_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func seedAll(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
}

// FuzzTranslate: no body makes the translation panic; a failure is of a closed kind, a report that is
// ready has content, and what goes into the event log is JSON.
func FuzzTranslate(f *testing.F) {
	seedAll(f)
	f.Add([]byte(`{"code":200,"result":"hit","data":{"inquiry_product":{"total":[]},"conscomm_details":[[]]}}`))
	receiver := newDriver(f, http.DefaultTransport).WebhookReceiver
	f.Fuzz(func(t *testing.T, body []byte) {
		notice, err := receiver.Translate(body)
		if err != nil {
			if kind := lending.KindOf(err); kind != lending.KindUpstreamProtocol {
				t.Fatalf("kind %s", kind)
			}
			return
		}
		if !json.Valid(notice.Payload) || !utf8.Valid(notice.Payload) {
			t.Fatalf("payload %q", notice.Payload)
		}
		if r := notice.Report; r != nil && (r.Status == lending.ReportReady) != (r.Content != nil) {
			t.Fatalf("status %s, content %v", r.Status, r.Content)
		}
	})
}

// FuzzVerify: a push is taken with the right sign alone, whatever its query and body are.
func FuzzVerify(f *testing.F) {
	f.Add("sign", vectorHex, []byte(`{}`))
	f.Add("timestamp", "1699272744735", []byte(`{"code":200}`))
	f.Add("partner_code", "td_partner×tamp=1", []byte(``))
	receiver := newDriver(f, http.DefaultTransport).WebhookReceiver
	f.Fuzz(func(t *testing.T, name, value string, body []byte) {
		request := push(body)
		before := request.Query.Get(name)
		request.Query.Set(name, value)
		receipt, err := receiver.Verify(request)
		if err != nil {
			return
		}
		if name == "timestamp" || name == "partner_code" || name == "access_key" {
			if value != before {
				t.Fatalf("%s=%q was taken", name, value)
			}
		}
		if receipt.DedupeKey == "" || receipt.Nonce != vectorHex+".1699272744735" {
			t.Fatalf("receipt %+v", receipt)
		}
	})
}

// FuzzAnswer: no answer to either call makes the driver panic; a failure is of a closed kind, an order
// that succeeded has an id, and a report that was fetched is for the id that was asked for.
func FuzzAnswer(f *testing.F) {
	for _, name := range []string{"hit.json", "no_record.json", "window_over.json", "acknowledgement.json"} {
		for _, status := range []int{200, 400, 500} {
			f.Add(status, seed(f, name))
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		p := newDriver(t, canned{status: 100 + (status%500+500)%500, body: body})
		receipt, err := p.Reports.OrderReport(t.Context(), seedOrder())
		closedKind(t, err)
		if err == nil && receipt.ExternalID == "" {
			t.Fatal("an order without an id")
		}
		notice, err := p.Reports.FetchReport(t.Context(), sequence)
		closedKind(t, err)
		if err == nil && (notice.ExternalID != sequence || !notice.Status.Valid()) {
			t.Fatalf("notice %+v", notice)
		}
	})
}

func closedKind(t *testing.T, err error) {
	t.Helper()
	if e := lending.AsError(err); e != nil && (!e.Kind.Valid() || e.Kind == lending.KindInternal || !e.Outcome.Valid()) {
		t.Fatalf("error %+v", e)
	}
}
