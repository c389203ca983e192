package trustdecision_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
)

func TestFetchAsksBySequence(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.answers(http.StatusOK, string(seed(t, "hit.json")))
	notice, err := d.Reports.FetchReport(t.Context(), sequence)
	if err != nil {
		t.Fatal(err)
	}
	if notice.Status != lending.ReportReady || notice.ExternalID != sequence || notice.Content == nil {
		t.Errorf("notice %+v", notice)
	}
	request := d.only(t)
	if request.method != http.MethodPost || request.path != "/ng/credit/backup" {
		t.Errorf("asked %s %s", request.method, request.path)
	}
	if diff := cmp.Diff(`{"sequence_id":"`+sequence+`"}`, request.body); diff != "" {
		t.Error(diff)
	}
}

func TestFetchAnswers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body string
		want lending.ReportStatus
	}{
		"no record":             {`{"code":200,"result":"no_record","sequence_id":"` + sequence + `"}`, lending.ReportNoRecord},
		"without a sequence_id": {`{"code":"200","result":" No_Record "}`, lending.ReportNoRecord},
		"error":                 {`{"code":200,"result":"error"}`, lending.ReportFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := setup(t)
			d.answers(http.StatusOK, test.body)
			notice, err := d.Reports.FetchReport(t.Context(), sequence)
			if err != nil || notice.Status != test.want || notice.ExternalID != sequence {
				t.Errorf("notice %+v, error %v", notice, err)
			}
		})
	}
}

func TestFetchFailures(t *testing.T) {
	t.Parallel()
	protocol := outcome{lending.KindUpstreamProtocol, lending.NotExecuted, false, ""}
	for name, test := range map[string]struct {
		status int
		body   string
		want   outcome
	}{
		"9080 of the seed":       {200, string(seed(t, "window_over.json")), outcome{lending.KindReportWindowExpired, lending.NotExecuted, false, "9080"}},
		"9083 try again":         {200, `{"code":9083}`, outcome{lending.KindUpstreamUnavailable, lending.NotExecuted, true, "9083"}},
		"9084 in progress":       {200, `{"code":9084}`, outcome{lending.KindInProgress, lending.NotExecuted, true, "9084"}},
		"9500 internal":          {200, `{"code":9500}`, outcome{lending.KindUpstreamUnavailable, lending.NotExecuted, true, "9500"}},
		"9500 with result error": {200, `{"code":9500,"result":"error"}`, outcome{lending.KindUpstreamUnavailable, lending.NotExecuted, true, "9500"}},
		"9060 empty":             {400, `{"code":9060,"message":"sequence_id empty"}`, outcome{lending.KindValidation, lending.NotExecuted, false, "9060"}},
		"302 suspended":          {200, `{"code":302}`, outcome{lending.KindProviderDisabled, lending.NotExecuted, false, "302"}},
		"unknown code":           {200, `{"code":9999}`, outcome{lending.KindUpstreamProtocol, lending.NotExecuted, false, "9999"}},
		"unknown result":         {200, `{"code":200,"result":"maybe"}`, protocol},
		"no result":              {200, `{"code":200}`, protocol},
		"hit without data":       {200, `{"code":200,"result":"hit"}`, protocol},
		"hit with empty data":    {200, `{"code":200,"result":"hit","data":{}}`, protocol},
		"of another request":     {200, `{"code":200,"result":"no_record","sequence_id":"other"}`, protocol},
		"HTML":                   {200, `<html>`, protocol},
		"HTTP 500":               {500, ``, outcome{lending.KindUpstreamUnavailable, lending.NotExecuted, true, ""}},
		"HTTP 404":               {404, ``, outcome{lending.KindNotFound, lending.NotExecuted, false, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := setup(t)
			d.answers(test.status, test.body)
			_, err := d.Reports.FetchReport(t.Context(), sequence)
			if diff := cmp.Diff(test.want, outcomeOf(t, err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFetchOfNoIdIsNotSent(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "a b", "../../etc", "ключ"} {
		d := setup(t)
		_, err := d.Reports.FetchReport(t.Context(), id)
		if got := outcomeOf(t, err); got.Kind != lending.KindNotFound || len(d.asked) != 0 {
			t.Errorf("%q: %+v after %d requests", id, got, len(d.asked))
		}
	}
}
