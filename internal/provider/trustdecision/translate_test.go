package trustdecision_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

var update = flag.Bool("update", false, "write the golden files anew")

var compareValues = cmp.Options{
	cmp.Comparer(func(a, b lending.Decimal) bool { return a.Cmp(b) == 0 }),
	cmp.Comparer(func(a, b lending.Money) bool { return a == b }),
}

func compactNumbers(body []byte) string {
	return strings.NewReplacer("\n", "", `": `, `":`, `, `, `,`).Replace(string(body))
}

// timeWithPlus is a time near to now whose signature has a plus when it is written in base64.
func timeWithPlus(t *testing.T) (time.Time, string) {
	t.Helper()
	for at := now; at.Before(now.Add(time.Second)); at = at.Add(time.Millisecond) {
		raw, err := hex.DecodeString(sign(at))
		if err != nil {
			t.Fatal(err)
		}
		if encoded := base64.StdEncoding.EncodeToString(raw); strings.Contains(encoded, "+") {
			return at, encoded
		}
	}
	t.Fatal("no such time")
	return time.Time{}, ""
}

func translate(t *testing.T, body string) provider.Notice {
	t.Helper()
	notice, err := setup(t).WebhookReceiver.Translate([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return notice
}

// contentOf is the content of a hit with data.
func contentOf(t *testing.T, data string) *lending.ReportContent {
	t.Helper()
	notice := translate(t, `{"code":200,"result":"hit","sequence_id":"s-1","data":`+data+`}`)
	if notice.Report == nil || notice.Report.Content == nil {
		t.Fatalf("no content: %+v", notice)
	}
	return notice.Report.Content
}

func TestSeedsReportIsReadWhole(t *testing.T) {
	t.Parallel()
	notice := translate(t, string(seed(t, "hit.json")))
	if notice.Type != lending.EventCreditReportReady || notice.ProviderType != "hit" {
		t.Errorf("type %s (%s)", notice.Type, notice.ProviderType)
	}
	if r := notice.Report; r.Status != lending.ReportReady || r.ExternalID != sequence || r.Failure != nil {
		t.Errorf("report %+v", r)
	}
	got, err := json.MarshalIndent(notice.Report.Content, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "hit.golden.json")
	if *update {
		if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(seed(t, "hit.golden.json")), string(got)+"\n"); diff != "" {
		t.Error(diff)
	}
}

func TestPayloadHoldsNothingOfThePerson(t *testing.T) {
	t.Parallel()
	notice := translate(t, string(seed(t, "hit.json")))
	want := `{"result":"hit","code":"200","sequenceId":"` + sequence + `","reportNumber":"w-0087662519/2023",` +
		`"facilityProducts":1,"facilityInstitutions":1,"enquiries":12,"warnings":0}`
	if diff := cmp.Diff(want, string(notice.Payload)); diff != "" {
		t.Error(diff)
	}
}

func TestPayloadDropsWhatMayBePersonal(t *testing.T) {
	t.Parallel()
	notice := translate(t, `{"code":"Akubueze 22366507571","result":"hit of Akubueze","sequence_id":"Akubueze O.",
		"data":{"report_detail_bvn":{"cir_number":"for Akubueze"}}}`)
	if strings.Contains(string(notice.Payload), "Akubueze") || notice.ProviderType != "" {
		t.Errorf("payload %s, provider type %q", notice.Payload, notice.ProviderType)
	}
	notice = translate(t, `{"result":"hit","data":{"report_detail_bvn":{"cir_number":"for Akubueze"}}}`)
	if notice.Report.Content.ReportNumber != "for Akubueze" || strings.Contains(string(notice.Payload), "Akubueze") {
		t.Errorf("payload %s of report %q", notice.Payload, notice.Report.Content.ReportNumber)
	}
}

func TestAnswersBecomeNotices(t *testing.T) {
	t.Parallel()
	data := `"data":{"report_detail_bvn":{"cir_number":"w-1"}}`
	ready, failed := lending.EventCreditReportReady, lending.EventCreditReportFailed
	for name, test := range map[string]struct {
		body   string
		want   lending.EventType
		status lending.ReportStatus
	}{
		"no_record of the seed":     {string(seed(t, "no_record.json")), lending.EventCreditReportNoRecord, lending.ReportNoRecord},
		"hit in capitals":           {`{"code":200,"result":"HIT",` + data + `}`, ready, lending.ReportReady},
		"hit with a code in quotes": {`{"code":"200","result":"hit",` + data + `}`, ready, lending.ReportReady},
		"hit without a code":        {`{"result":"hit",` + data + `}`, ready, lending.ReportReady},
		"error":                     {`{"code":200,"result":"error"}`, failed, lending.ReportFailed},
		"error 9500":                {`{"code":9500,"result":"error"}`, failed, lending.ReportFailed},
		"9500 without a result":     {`{"code":9500}`, failed, lending.ReportFailed},
		"hit with code 9500":        {`{"code":9500,"result":"hit",` + data + `}`, failed, lending.ReportFailed},
		"hit with an unknown code":  {`{"code":201,"result":"hit",` + data + `}`, lending.EventUnknown, ""},
		"an unknown result":         {`{"code":200,"result":"partial_hit",` + data + `}`, lending.EventUnknown, ""},
		"no result":                 {`{"code":200,` + data + `}`, lending.EventUnknown, ""},
		"nothing at all":            {`{}`, lending.EventUnknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			notice := translate(t, test.body)
			if notice.Type != test.want {
				t.Errorf("type %s, want %s", notice.Type, test.want)
			}
			if (notice.Report == nil) != (test.status == "") {
				t.Fatalf("report %+v", notice.Report)
			}
			if notice.Report != nil && notice.Report.Status != test.status {
				t.Errorf("status %s, want %s", notice.Report.Status, test.status)
			}
		})
	}
}

func TestFailureSaysWhetherToOrderAgain(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]*lending.Failure{
		`{"code":9500,"result":"error","message":"for 22366507571"}`: {
			Kind: lending.KindUpstreamUnavailable, Retryable: true, ProviderCode: "9500",
			Message: "TrustDecision could not make the report. Order it again later.",
		},
		`{"code":200,"result":"error","message":"for 22366507571"}`: {
			Kind: lending.KindUpstreamRejected, ProviderCode: "200", Message: "TrustDecision could not make the report.",
		},
	} {
		if diff := cmp.Diff(want, translate(t, body).Report.Failure); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTokenComesBack(t *testing.T) {
	t.Parallel()
	for ext, want := range map[string]string{
		`{"token":"v1.abc"}`:                            "v1.abc",
		`{"token":"v1.abc","more":[1]}`:                 "v1.abc",
		`[{"token":"v1.abc"}]`:                          "v1.abc",
		`{"token":{"a":1}}`:                             "",
		`{"token":"` + strings.Repeat("x", 1025) + `"}`: "",
		`{}`:       "",
		`"v1.abc"`: "",
		`null`:     "",
	} {
		notice := translate(t, `{"code":200,"result":"no_record","ext":`+ext+`}`)
		if notice.Report.Token != want {
			t.Errorf("ext %.40s: token %q, want %q", ext, notice.Report.Token, want)
		}
	}
}

func TestHitThatCannotBeReadIsNoReport(t *testing.T) {
	t.Parallel()
	d := setup(t)
	for _, data := range []string{`null`, `""`, `[]`, `{}`, `"na"`, `7`, `{"report_detail_bvn":[],"inquiry_product":null}`} {
		_, err := d.WebhookReceiver.Translate([]byte(`{"code":200,"result":"hit","data":` + data + `}`))
		want := outcome{lending.KindUpstreamProtocol, lending.NotExecuted, false, ""}
		if diff := cmp.Diff(want, outcomeOf(t, err)); diff != "" {
			t.Errorf("%s: %s", data, diff)
		}
	}
	for _, body := range []string{``, `null`, `[]`, `<html>`, `{"code":200`} {
		if _, err := d.WebhookReceiver.Translate([]byte(body)); lending.KindOf(err) != lending.KindUpstreamProtocol {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestUnknownWordsAreLoggedOnceAndNeverPersonal(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.answers(http.StatusOK, "")
	for range 3 {
		for _, word := range []string{"intersex", "Akubueze O. 22366507571"} {
			body := fmt.Sprintf(`{"code":200,"result":"hit","data":{"conscomm_details_subject":{"name":"a","gender":%q}}}`, word)
			notice, err := d.WebhookReceiver.Translate([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if got := notice.Report.Content.Subject.Gender; got != lending.GenderUnknown {
				t.Errorf("gender %q", got)
			}
		}
	}
	if log := d.log.String(); strings.Count(log, "\n") != 2 || !strings.Contains(log, "word=intersex") ||
		strings.Contains(strings.ToLower(log), "akubueze") {
		t.Errorf("logged:\n%s", log)
	}
}
