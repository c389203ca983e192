package trustdecision_test

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/trustdecision"
)

func TestVerifyTakesTheBureausPush(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		encoding trustdecision.SignatureEncoding
		sign     string
	}{
		"hex":                          {trustdecision.AnyEncoding, vectorHex},
		"hex in upper case":            {trustdecision.HexEncoding, strings.ToUpper(vectorHex)},
		"base64":                       {trustdecision.AnyEncoding, vectorBase64},
		"base64 alone":                 {trustdecision.Base64Encoding, vectorBase64},
		"base64 without its padding":   {trustdecision.Base64Encoding, strings.TrimRight(vectorBase64, "=")},
		"encoding left to the default": {"", vectorHex},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := setup(t, func(c *trustdecision.Config) { c.SignatureEncoding = test.encoding })
			request := push(seed(t, "hit.json"))
			request.Query.Set("sign", test.sign)
			receipt, err := d.WebhookReceiver.Verify(request)
			if err != nil {
				t.Fatal(err)
			}
			if want := vectorHex + ".1699272744735"; receipt.Nonce != want {
				t.Errorf("nonce %q, want %q however the sign is written", receipt.Nonce, want)
			}
		})
	}
}

// TestVerifyMendsAPlusThatBecameASpace uses a time whose signature has a plus in base64.
func TestVerifyMendsAPlusThatBecameASpace(t *testing.T) {
	t.Parallel()
	d := setup(t)
	at, encoded := timeWithPlus(t)
	address := "partner_code=td_partner&timestamp=" + strconv.FormatInt(at.UnixMilli(), 10) +
		"&access_key=td_access_key&sign=" + encoded
	query, err := url.ParseQuery(address)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(query.Get("sign"), " ") {
		t.Fatal("the sign holds no space: the test tests nothing")
	}
	_, err = d.WebhookReceiver.Verify(provider.WebhookRequest{
		Method: http.MethodPost, Query: query, Body: seed(t, "no_record.json"), ReceivedAt: at,
	})
	if err != nil {
		t.Error(err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	set := func(name string, values ...string) func(*provider.WebhookRequest) {
		return func(r *provider.WebhookRequest) { r.Query[name] = values }
	}
	at := func(moment time.Time) func(*provider.WebhookRequest) {
		return func(r *provider.WebhookRequest) {
			r.Query.Set("timestamp", strconv.FormatInt(moment.UnixMilli(), 10))
			r.Query.Set("sign", sign(moment))
		}
	}
	for name, test := range map[string]struct {
		change func(*provider.WebhookRequest)
		status int
		reason string
	}{
		"another method":          {func(r *provider.WebhookRequest) { r.Method = http.MethodGet }, 405, "the method is not POST"},
		"a huge body":             {func(r *provider.WebhookRequest) { r.Body = make([]byte, 4<<20+1) }, 413, "the body is too large"},
		"no parameters":           {func(r *provider.WebhookRequest) { r.Query = nil }, 400, "partner_code is missing"},
		"no partner code":         {set("partner_code"), 400, "partner_code is missing"},
		"no timestamp":            {set("timestamp"), 400, "timestamp is missing"},
		"an empty access key":     {set("access_key", ""), 400, "access_key is missing"},
		"no sign":                 {set("sign"), 400, "sign is missing"},
		"two signs":               {set("sign", vectorHex, vectorHex), 400, "sign is given more than once"},
		"two timestamps":          {set("timestamp", "1699272744735", "1"), 400, "timestamp is given more than once"},
		"another partner":         {set("partner_code", "someone"), 401, "partner_code or access_key is not ours"},
		"another access key":      {set("access_key", "guess"), 401, "partner_code or access_key is not ours"},
		"timestamp in seconds":    {set("timestamp", "1699272744"), 400, "timestamp is not in milliseconds"},
		"timestamp with a sign":   {set("timestamp", "+699272744735"), 400, "timestamp is not in milliseconds"},
		"timestamp in words":      {set("timestamp", "now"), 400, "timestamp is not in milliseconds"},
		"a day old":               {at(now.Add(-24 * time.Hour)), 401, "timestamp is too old"},
		"just too old":            {at(now.Add(-5*time.Minute - time.Millisecond)), 401, "timestamp is too old"},
		"just too new":            {at(now.Add(5*time.Minute + time.Millisecond)), 401, "timestamp is in the future"},
		"another sign":            {set("sign", strings.Repeat("0", 40)), 401, "sign does not match"},
		"half a sign":             {set("sign", vectorHex[:20]), 401, "sign does not match"},
		"a sign of nothing":       {set("sign", "="), 401, "sign does not match"},
		"sign for another time":   {set("timestamp", "1699272744736"), 401, "sign does not match"},
		"a body that is no JSON":  {func(r *provider.WebhookRequest) { r.Body = []byte("<html>") }, 400, "the body is not a JSON object"},
		"a body that is a list":   {func(r *provider.WebhookRequest) { r.Body = []byte("[]") }, 400, "the body is not a JSON object"},
		"a body that is nothing":  {func(r *provider.WebhookRequest) { r.Body = nil }, 400, "the body is not a JSON object"},
		"a body that is cut off":  {func(r *provider.WebhookRequest) { r.Body = []byte(`{"code":200`) }, 400, "the body is not a JSON object"},
		"two bodies for one sign": {func(r *provider.WebhookRequest) { r.Body = []byte(`{}{}`) }, 400, "the body is not a JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := setup(t)
			request := push(seed(t, "hit.json"))
			test.change(&request)
			_, err := d.WebhookReceiver.Verify(request)
			refused, ok := errors.AsType[*provider.UnverifiedError](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(provider.UnverifiedError{Status: test.status, Reason: test.reason}, *refused); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestVerifyRefusesTheMangledAddress takes the page's own address, in which "&times" ate the timestamp.
func TestVerifyRefusesTheMangledAddress(t *testing.T) {
	t.Parallel()
	query, err := url.ParseQuery("partner_code=td_partner×tamp=1699272744735&access_key=td_access_key&sign=" + vectorHex)
	if err != nil {
		t.Fatal(err)
	}
	d := setup(t)
	request := push(seed(t, "hit.json"))
	request.Query = query
	_, err = d.WebhookReceiver.Verify(request)
	refused, ok := errors.AsType[*provider.UnverifiedError](err)
	if !ok || refused.Reason != "timestamp is missing" {
		t.Errorf("error %v", err)
	}
}

func TestVerifyTakesTimesWithinTheSkew(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		skew := time.Duration(rapid.Int64Range(1, 600_000).Draw(rt, "skew")) * time.Millisecond
		retry := skew + time.Duration(rapid.Int64Range(0, 1_800_000).Draw(rt, "more for retries"))*time.Millisecond
		age := time.Duration(rapid.Int64Range(-700_000, 2_500_000).Draw(rt, "age")) * time.Millisecond
		d := setup(t, func(c *trustdecision.Config) { c.TimestampSkew, c.RetrySkew = skew, retry })
		request := push(seed(t, "no_record.json"))
		sent := now.Add(-age)
		request.Query.Set("timestamp", strconv.FormatInt(sent.UnixMilli(), 10))
		request.Query.Set("sign", sign(sent))
		_, err := d.WebhookReceiver.Verify(request)
		if want := -skew <= age && age <= retry; want != (err == nil) {
			rt.Fatalf("age %v, skew %v, retries %v: %v", age, skew, retry, err)
		}
	})
}

func TestVerifyTakesTheClockWhereTheTimeOfReceiptIsMissing(t *testing.T) {
	t.Parallel()
	d := setup(t)
	request := push(seed(t, "hit.json"))
	request.ReceivedAt = time.Time{}
	if _, err := d.WebhookReceiver.Verify(request); err != nil {
		t.Error(err)
	}
}

func TestOnlyTheEncodingOfTheSettingIsTaken(t *testing.T) {
	t.Parallel()
	for encoding, text := range map[trustdecision.SignatureEncoding]string{
		trustdecision.HexEncoding: vectorBase64, trustdecision.Base64Encoding: vectorHex,
	} {
		d := setup(t, func(c *trustdecision.Config) { c.SignatureEncoding = encoding })
		request := push(seed(t, "hit.json"))
		request.Query.Set("sign", text)
		if _, err := d.WebhookReceiver.Verify(request); err == nil {
			t.Errorf("%s took %s", encoding, text)
		}
	}
}

func TestDedupeKeyIsOneForEachAnswer(t *testing.T) {
	t.Parallel()
	d := setup(t)
	key := func(body string, at time.Time) string {
		request := push([]byte(body))
		request.Query.Set("timestamp", strconv.FormatInt(at.UnixMilli(), 10))
		request.Query.Set("sign", sign(at))
		receipt, err := d.WebhookReceiver.Verify(request)
		if err != nil {
			t.Fatal(err)
		}
		return receipt.DedupeKey
	}
	hit, none := string(seed(t, "hit.json")), string(seed(t, "no_record.json"))
	if key(hit, now) != key(hit, now.Add(time.Minute)) {
		t.Error("a repeated push has another key")
	}
	if key(hit, now) == key(none, now) {
		t.Error("hit and no_record have one key")
	}
	if key(hit, now) == key(strings.Replace(hit, "139,691", "139,692", 1), now) {
		t.Error("a correction has the key of what it corrects")
	}
}

// TestBodyIsLeftAsItCame: it is stored after it was verified, and translated from there.
func TestBodyIsLeftAsItCame(t *testing.T) {
	t.Parallel()
	d := setup(t)
	request := push(seed(t, "hit.json"))
	if _, err := d.WebhookReceiver.Verify(request); err != nil {
		t.Fatal(err)
	}
	if _, err := d.WebhookReceiver.Translate(request.Body); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(seed(t, "hit.json")), string(request.Body)); diff != "" {
		t.Error(diff)
	}
}

func TestAcknowledge(t *testing.T) {
	t.Parallel()
	d := setup(t)
	for name, test := range map[string]struct {
		failed error
		want   provider.Acknowledgement
	}{
		"stored": {nil, provider.Acknowledgement{
			Status: 200, ContentType: "application/json", Body: []byte(`{"code":200,"message":""}`),
		}},
		"not stored": {errors.New("disk full at /var/lib"), provider.Acknowledgement{
			Status: 503, ContentType: "application/json",
			Body: []byte(`{"code":9500,"message":"Service unavailable, please retry later"}`),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, d.WebhookReceiver.Acknowledge(test.failed)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got, want := string(d.WebhookReceiver.Acknowledge(nil).Body), compactNumbers(seed(t, "acknowledgement.json")); got != want {
		t.Errorf("acknowledged with %s, the seed has %s", got, want)
	}
}
