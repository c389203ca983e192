package trustdecision_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/sandbox/trustdecision"
)

// expectedSign is sign as the seed describes it, worked out apart from the twin.
func expectedSign(timestamp string) []byte {
	m := hmac.New(sha1.New, []byte("test_access_secret"))
	m.Write([]byte("td_partner" + timestamp + "td_access_key"))
	return m.Sum(nil)
}

func TestPushesAreSigned(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		base64 bool
		encode func([]byte) string
	}{
		"in hex":    {false, hex.EncodeToString},
		"in base64": {true, base64.StdEncoding.EncodeToString},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(o *trustdecision.Options) { o.SignBase64 = test.base64 })
			b.order("22366507571")
			pushes := b.delivered()
			if len(pushes) != 1 {
				t.Fatalf("%d pushes", len(pushes))
			}
			timestamp := strconv.FormatInt(now.UnixMilli(), 10)
			want := map[string][]string{
				"tenant": {"7"}, "partner_code": {"td_partner"}, "timestamp": {timestamp},
				"access_key": {"td_access_key"}, "sign": {test.encode(expectedSign(timestamp))},
			}
			if diff := cmp.Diff(want, map[string][]string(pushes[0].query)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheSignatureVector(t *testing.T) {
	t.Parallel()
	const want = "d9861065071f610170a4159346d0caf099938b45"
	b := setup(t)
	b.advance(time.UnixMilli(1699272744735).Sub(now))
	b.order("22366507571")
	if got := b.delivered()[0].query.Get("sign"); got != want {
		t.Errorf("sign %s, want %s", got, want)
	}
}

func TestThePushCarriesWhatWasSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.order("22366507571").SequenceID
	body := b.delivered()[0].body
	for field, want := range map[string]string{
		"sequence_id": `"` + id + `"`, "code": "200", "message": `"success"`, "result": `"hit"`, "ext": `{"token":"t-1"}`,
	} {
		if got := string(body[field]); got != want {
			t.Errorf("%s is %s, want %s", field, got, want)
		}
	}
	b.call("/query", exampleOrder)
	if _, there := b.delivered()[1].body["ext"]; there {
		t.Error("an ext appeared that nobody sent")
	}
}

func TestPeopleWithoutARecordAndStrangersAreNoRecord(t *testing.T) {
	t.Parallel()
	b := setup(t)
	nobody := b.world.Person(2).BVN
	for name, bvn := range map[string]string{"without a record": nobody, "a stranger": "22999999999"} {
		if _, known := b.world.ByBVN(bvn); known != (bvn == nobody) {
			t.Fatalf("%s: not the person that the test is about", name)
		}
		id := b.order(bvn).SequenceID
		pushes := b.delivered()
		body := pushes[len(pushes)-1].body
		if string(body["result"]) != `"no_record"` || string(body["code"]) != "200" || body["data"] != nil {
			t.Errorf("%s: pushed %s", name, pushes[len(pushes)-1].raw)
		}
		if got := b.backup(id); got.Result != "no_record" {
			t.Errorf("%s: backup %+v", name, got)
		}
	}
}

func TestAFailedReportIsPushedAsAnError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.post("/__sandbox/account", `{"push_code":9500}`)
	id := b.order("22366507571").SequenceID
	body := b.delivered()[0].body
	if string(body["result"]) != `"error"` || string(body["code"]) != "9500" || body["data"] != nil ||
		string(body["message"]) != `"Service unavailable, please retry later"` {
		t.Errorf("pushed %v", body)
	}
	b.post("/__sandbox/account", `{}`)
	if got := b.backup(id); got.Result != "error" {
		t.Errorf("the backup query tells another story: %+v", got)
	}
}

func TestAPushThatIsNotTakenIsTriedThreeTimesMore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		answer string
		pushes int
	}{
		"taken":                   {http.StatusOK, `{"code":200,"message":""}`, 1},
		"an error status":         {http.StatusInternalServerError, `{"code":200,"message":""}`, 4},
		"another 2xx":             {http.StatusAccepted, `{"code":200,"message":""}`, 4},
		"a code other than 200":   {http.StatusOK, `{"code":500,"message":"later"}`, 4},
		"a code that is a text":   {http.StatusOK, `{"code":"200","message":""}`, 4},
		"no body":                 {http.StatusOK, ``, 4},
		"a body that is not JSON": {http.StatusOK, `OK`, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.answerWith(test.status, test.answer)
			b.order("22366507571")
			if got := len(b.delivered()); got != test.pushes {
				t.Fatalf("pushed %d times, want %d", got, test.pushes)
			}
			b.answerWith(http.StatusOK, `{"code":200,"message":""}`)
			b.order("22999999999")
			if got := len(b.delivered()); got != test.pushes+1 {
				t.Errorf("after the next order %d pushes, want %d: a push given up came again", got, test.pushes+1)
			}
		})
	}
}

func TestWebhookFaults(t *testing.T) {
	t.Parallel()
	results := func(pushes []push) []string {
		var all []string
		for _, p := range pushes {
			all = append(all, string(p.body["result"]))
		}
		return all
	}
	for name, test := range map[string]struct {
		rule string
		want []string
	}{
		"none":            {``, []string{`"hit"`, `"no_record"`}},
		"duplicate":       {`{"kind":"duplicate","times":1}`, []string{`"hit"`, `"hit"`, `"no_record"`}},
		"drop":            {`{"kind":"drop","match":{"event":"report.hit"}}`, []string{`"no_record"`}},
		"reorder":         {`{"kind":"reorder","times":1}`, []string{`"no_record"`, `"hit"`}},
		"late":            {`{"kind":"late","delay":"1h","times":1}`, []string{`"no_record"`, `"hit"`}},
		"wrong signature": {`{"kind":"wrong_signature","times":1}`, []string{`"hit"`, `"no_record"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wait := make(chan struct{})
			b := setup(t, func(o *trustdecision.Options) { o.Sender.Wait = waitFor(wait) })
			if test.rule != "" {
				b.fault(test.rule)
			}
			id := b.order("22366507571").SequenceID
			b.order("22999999999")
			close(wait)
			pushes := b.delivered()
			got := results(pushes)
			if name == "late" { // the two are on their way at the same time: any order will do
				if len(got) != 2 {
					t.Errorf("pushed %v", got)
				}
			} else if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			genuine := pushes[0].query.Get("sign") == hex.EncodeToString(expectedSign(pushes[0].query.Get("timestamp")))
			if genuine == (name == "wrong signature") {
				t.Errorf("the first signature is genuine: %t", genuine)
			}
			if got := b.backup(id); got.Result != "hit" {
				t.Errorf("the backup query does not help: %+v", got)
			}
		})
	}
}

func TestThePushWaitsUntilTheReportIsThere(t *testing.T) {
	t.Parallel()
	wait, spans := make(chan struct{}), make(chan time.Duration, 1)
	b := setup(t, func(o *trustdecision.Options) {
		o.Delay = time.Minute
		o.Sender.Wait = func(ctx context.Context, span time.Duration) error {
			spans <- span
			return waitFor(wait)(ctx, span)
		}
	})
	id := b.order("22366507571").SequenceID
	if got := b.backup(id); got.Code != 9084 {
		t.Errorf("backup before the push: %+v", got)
	}
	b.advance(time.Minute)
	close(wait)
	if got := len(b.delivered()); got != 1 {
		t.Errorf("%d pushes", got)
	}
	select {
	case span := <-spans:
		if span != time.Minute {
			t.Errorf("the push waited for %v", span)
		}
	default:
		t.Error("the push did not wait")
	}
}

func TestTheWebhookMoves(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *trustdecision.Options) { o.WebhookURL = "" })
	b.order("22366507571")
	if got := len(b.delivered()); got != 0 {
		t.Fatalf("%d pushes to nowhere", got)
	}
	if status, body := b.post("/__sandbox/webhook", `{"url":"`+b.hook+`"}`); status != http.StatusNoContent {
		t.Fatalf("HTTP %d: %s", status, body)
	}
	b.order("22366507571")
	if got := len(b.delivered()); got != 1 {
		t.Errorf("%d pushes after the webhook was set", got)
	}
}
