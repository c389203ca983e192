package trustdecision

import (
	"crypto/hmac"
	"crypto/sha1" // the provider's own choice of hash
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// pushed is the body of a push, and of the backup query's answer.
type pushed struct {
	SequenceID string          `json:"sequence_id"`
	Code       int             `json:"code"`
	Message    string          `json:"message"`
	Result     string          `json:"result"`
	Data       any             `json:"data,omitempty"` // for a hit
	Ext        json.RawMessage `json:"ext,omitempty"`  // where it was sent
}

// push sends the report of an order to the webhook once it is there.
func (t *Twin) push(o order) {
	t.mu.Lock()
	target := t.webhook
	t.mu.Unlock()
	if target == "" {
		return
	}
	out := t.outcome(o)
	body, err := json.Marshal(out)
	if err != nil {
		panic(fmt.Sprintf("trustdecision: a report that is no JSON: %v", err)) // only code can cause it
	}
	t.core.Sender.Send(twin.Delivery{
		Event: "report." + out.Result, Key: o.id, URL: target, Body: body, After: t.options.Delay,
		Sign: t.sign, Accepted: accepted,
	})
}

// outcome is what comes of an order. It depends on the order alone.
func (t *Twin) outcome(o order) pushed {
	out := pushed{SequenceID: o.id, Code: codeSuccess, Message: "success", Result: "no_record", Ext: o.ext}
	if o.failing {
		out.Code, out.Message, out.Result = codeInternal, messageUnavailable, "error"
		return out
	}
	if o.bvn == exampleBVN {
		out.Result, out.Data = "hit", json.RawMessage(exampleReport)
		return out
	}
	person, known := t.options.World.ByBVN(o.bvn)
	if known && person.Bureau != world.BureauNone {
		out.Result = "hit"
		out.Data = reportOn(&person, o.name, t.options.Institution, lending.DateOf(o.at))
	}
	return out
}

// sign puts partner_code, timestamp, access_key and sign into the query of a push. The signature does not
// cover the body.
func (t *Twin) sign(r *http.Request, _ []byte, valid bool) {
	timestamp := strconv.FormatInt(t.options.Clock().UnixMilli(), 10)
	secret := t.options.AccessSecret
	if !valid {
		secret += " of somebody else"
	}
	query := r.URL.Query()
	query.Set("partner_code", t.options.PartnerCode)
	query.Set("timestamp", timestamp)
	query.Set("access_key", t.options.AccessKey)
	query.Set("sign", t.encode(mac(secret, t.options.PartnerCode+timestamp+t.options.AccessKey)))
	r.URL.RawQuery = query.Encode()
}

func (t *Twin) encode(sum []byte) string {
	if t.options.SignBase64 {
		return base64.StdEncoding.EncodeToString(sum)
	}
	return hex.EncodeToString(sum)
}

func mac(secret, text string) []byte {
	m := hmac.New(sha1.New, []byte(secret))
	m.Write([]byte(text))
	return m.Sum(nil)
}

// accepted reports whether the receiver took a push: HTTP 200, and a code of 200 in the answer.
func accepted(status int, body []byte) bool {
	var answer struct {
		Code json.RawMessage `json:"code"` // an integer: "200" is none
	}
	return status == http.StatusOK && json.Unmarshal(body, &answer) == nil && string(answer.Code) == "200"
}
