package main

import (
	"crypto/hmac"
	"crypto/sha1" // the bureau's own choice of hash
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestWhatIsNoWebhookOfAProvidersIsRefused sends what is wrong in one way each to the program as it runs. All of
// it is refused with a status that says why, and none is stored.
func TestWhatIsNoWebhookOfAProvidersIsRefused(t *testing.T) {
	t.Parallel()
	p := sharedProgram(t)
	secret := map[string]string{}
	for _, setting := range p.sandbox.Settings() {
		secret[setting[0]] = setting[1]
	}
	const body = `{"id":"evt_refused","type":"loan.created","sequence_id":"seq_refused","code":200,"result":"later","payload":{}}`
	signed := func(text string) string {
		mac := hmac.New(sha256.New, []byte(secret["KREDETE_WEBHOOK_SECRET"]))
		mac.Write([]byte(text))
		return hex.EncodeToString(mac.Sum(nil))
	}
	// pushed are the parameters of a push at a time, in base64 where hexadecimal is what the others have.
	pushed := func(at time.Time) url.Values {
		stamp := strconv.FormatInt(at.UnixMilli(), 10)
		mac := hmac.New(sha1.New, []byte(secret["TRUSTDECISION_ACCESS_SECRET"]))
		mac.Write([]byte(secret["TRUSTDECISION_PARTNER_CODE"] + stamp + secret["TRUSTDECISION_ACCESS_KEY"]))
		return url.Values{
			"partner_code": {secret["TRUSTDECISION_PARTNER_CODE"]}, "access_key": {secret["TRUSTDECISION_ACCESS_KEY"]},
			"timestamp": {stamp}, "sign": {base64.StdEncoding.EncodeToString(mac.Sum(nil))},
		}
	}
	without := func(name string) string { q := pushed(time.Now()); q.Del(name); return "?" + q.Encode() }
	doubled := func(name string) string {
		q := pushed(time.Now())
		q.Add(name, q.Get(name))
		return "?" + q.Encode()
	}
	kredete := http.Header{"X-Kredete-Signature": {signed(body)}}
	for name, test := range map[string]struct {
		method, path, body string
		header             http.Header
		status             int
	}{
		"Kredete: another method":       {http.MethodGet, "kredete", body, kredete, 405},
		"Kredete: no signature":         {http.MethodPost, "kredete", body, nil, 401},
		"Kredete: of another body":      {http.MethodPost, "kredete", body + " ", kredete, 401},
		"Kredete: doubled":              {http.MethodPost, "kredete", body, http.Header{"X-Kredete-Signature": {signed(body), signed(body)}}, 401},
		"Kredete: too large":            {http.MethodPost, "kredete", strings.Repeat("x", 2<<20+1), kredete, 413},
		"Kredmint: another method":      {http.MethodPut, "kredmint", body, http.Header{"Authorization": {secret["KREDMINT_WEBHOOK_AUTHORIZATION"]}}, 405},
		"Kredmint: no password":         {http.MethodPost, "kredmint", body, nil, 401},
		"Kredmint: another password":    {http.MethodPost, "kredmint", body, http.Header{"Authorization": {secret["KREDMINT_AUTHORIZATION"]}}, 401},
		"TrustDecision: another method": {http.MethodDelete, "trustdecision?" + pushed(time.Now()).Encode(), body, nil, 405},
		"TrustDecision: no time":        {http.MethodPost, "trustdecision" + without("timestamp"), body, nil, 400},
		"TrustDecision: no sign":        {http.MethodPost, "trustdecision" + without("sign"), body, nil, 400},
		"TrustDecision: two signs":      {http.MethodPost, "trustdecision" + doubled("sign"), body, nil, 400},
		"TrustDecision: two partners":   {http.MethodPost, "trustdecision" + doubled("partner_code"), body, nil, 400},
		"TrustDecision: unreadable":     {http.MethodPost, "trustdecision?" + pushed(time.Now()).Encode() + "&sign=%zz", body, nil, 400},
		"TrustDecision: stale":          {http.MethodPost, "trustdecision?" + pushed(time.Now().Add(-time.Hour)).Encode(), body, nil, 401},
		"TrustDecision: of tomorrow":    {http.MethodPost, "trustdecision?" + pushed(time.Now().Add(24*time.Hour)).Encode(), body, nil, 401},
		"TrustDecision: the page's own address": {
			http.MethodPost, "trustdecision?" + strings.Replace(pushed(time.Now()).Encode(), "&timestamp", "%C3%97tamp", 1), body, nil, 400,
		},
		"nobody": {http.MethodPost, "stripe", body, nil, 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request, err := http.NewRequestWithContext(t.Context(), test.method, p.address()+"/webhooks/"+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header = test.header.Clone()
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			told, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != test.status {
				t.Errorf("answered %d %q, %v; want %d", response.StatusCode, told, err, test.status)
			}
			if allow := response.Header.Get("Allow"); (test.status == 405) != (allow == http.MethodPost) {
				t.Errorf("Allow is %q", allow)
			}
		})
	}
	t.Cleanup(func() {
		records, err := openDirectly(string(p.settings.DatabaseURL))
		if err != nil {
			t.Fatal(err)
		}
		defer records.Close()
		var stored int
		if err := records.QueryRow("SELECT COUNT(*) FROM webhook_inbox WHERE dedupe_key = 'evt_refused'").Scan(&stored); err != nil || stored != 0 {
			t.Errorf("%d of what was refused are stored: %v", stored, err)
		}
	})
}
