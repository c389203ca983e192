package main

import (
	"crypto/hmac"
	"crypto/sha1" // the bureau's own choice of hash
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// webhooks has providers tell what they know of a person, in bodies that are understood, that are not, and that are
// signed wrongly.
func (p *played) webhooks() {
	p.t.Helper()
	secret := map[string]string{}
	for _, setting := range p.sandbox.Settings() {
		secret[setting[0]] = setting[1]
	}
	person := map[string]any{
		"email": canaryEmail, "phone": canaryPhone, "customer_name": canaryEmail, "bvn": canaryBVN, "nin": canaryNIN, "account_number": canaryAccount,
		"pan": canaryPAN, "otp": canaryOTP, "reason": "Ask " + canaryPhone, "message": canaryEmail,
	}
	with := func(more map[string]any) map[string]any {
		for name, value := range person {
			if _, told := more[name]; !told {
				more[name] = value
			}
		}
		return more
	}
	kredete, mobile := p.sandbox.World.Person(0).KredeteID, p.sandbox.World.Person(0).KredmintMobile
	stamp := time.Now().UnixMilli()
	for _, status := range []string{"loan.created", "loan.rejected", "customer.kyc_verified", "something.else"} {
		data := with(map[string]any{"loan_id": "loan_canary", "customer_id": kredete, "amount": 1000, "currency": "NGN"})
		p.tell("kredete", with(map[string]any{"id": "evt_canary_" + status, "type": status, "created_at": time.Now().UTC(), "data": data}), func(r *http.Request, body []byte) {
			r.Header.Set("X-Kredete-Signature", keyed(sha256.New, secret["KREDETE_WEBHOOK_SECRET"], string(body)))
		})
		p.tell("kredmint", with(map[string]any{"type": "INVOICE", "timestamp": stamp, "payload": with(map[string]any{
			"id": "IN-canary", "username": mobile, "invoiceNumber": "canary", "amount": 1000.5, "status": map[string]string{"loan.rejected": "Rejected"}[status],
		})}), func(r *http.Request, _ []byte) {
			r.Header.Set("Authorization", secret["KREDMINT_WEBHOOK_AUTHORIZATION"])
		})
		stamp++
		p.tell("trustdecision", with(map[string]any{"code": 200, "result": status, "sequence_id": "canary" + status, "data": with(map[string]any{})}), func(r *http.Request, _ []byte) {
			partner, access, at := secret["TRUSTDECISION_PARTNER_CODE"], secret["TRUSTDECISION_ACCESS_KEY"], strconv.FormatInt(stamp, 10)
			r.URL.RawQuery = url.Values{
				"partner_code": {partner}, "timestamp": {at}, "access_key": {access}, "sign": {keyed(sha1.New, secret["TRUSTDECISION_ACCESS_SECRET"], partner+at+access)},
			}.Encode()
		})
	}
}

// tell sends a webhook as its provider would, then one with bytes behind it, and one with another signature.
func (p *played) tell(provider string, body map[string]any, sign func(r *http.Request, body []byte)) {
	p.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	garbage := append([]byte(`{"`+canaryNIN+`":`), text...)
	address := p.address() + "/webhooks/" + provider
	for _, sent := range [][]byte{text, garbage} {
		p.send(http.MethodPost, address, sent, func(r *http.Request) { sign(r, sent) })
	}
	p.send(http.MethodPost, address+"?from="+canaryPhone, text, func(r *http.Request) {
		r.Header.Set("X-Kredete-Signature", canaryNIN)
		r.Header.Set("Authorization", canaryEmail)
	})
}

func keyed(new func() hash.Hash, key, text string) string {
	mac := hmac.New(new, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}
