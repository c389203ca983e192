package trustdecision

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" // the signature that the bureau's page prescribes
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/provider"
)

// maxPush bounds a push, in bytes: far over any report that a person could have.
const maxPush = 4 << 20

// Verify checks a push in the order of cost: size and method, the four parameters, the keys, the time,
// the signature, and last the body's form. The signature does not cover the body, so the receipt's nonce
// is the signature with its time: it may come with one body only.
func (b *bureau) Verify(request provider.WebhookRequest) (provider.Receipt, error) {
	if err := checkEnvelope(request); err != nil {
		return provider.Receipt{}, err
	}
	p, err := readParameters(request.Query)
	if err != nil {
		return provider.Receipt{}, err
	}
	if !b.knowsKeys(p) {
		return provider.Receipt{}, unverified(http.StatusUnauthorized, "partner_code or access_key is not ours")
	}
	now := request.ReceivedAt
	if now.IsZero() {
		now = b.clock()
	}
	if err := b.checkTime(p.timestamp, now); err != nil {
		return provider.Receipt{}, err
	}
	sign, ok := b.checkSign(p)
	if !ok {
		return provider.Receipt{}, unverified(http.StatusUnauthorized, "sign does not match")
	}
	a, err := readAnswer(request.Body)
	if err != nil {
		return provider.Receipt{}, unverified(http.StatusBadRequest, "the body is not a JSON object")
	}
	return provider.Receipt{
		DedupeKey: dedupeKey(a, request.Body), Nonce: hex.EncodeToString(sign) + "." + p.timestamp,
	}, nil
}

func unverified(status int, reason string) error {
	return &provider.UnverifiedError{Status: status, Reason: reason}
}

func checkEnvelope(request provider.WebhookRequest) error {
	if request.Method != http.MethodPost {
		return unverified(http.StatusMethodNotAllowed, "the method is not POST")
	}
	if len(request.Body) > maxPush {
		return unverified(http.StatusRequestEntityTooLarge, "the body is too large")
	}
	return nil
}

// parameters are what a push carries in its query.
type parameters struct {
	partnerCode, timestamp, accessKey, sign string
}

// readParameters takes exactly one value for each parameter. In the page's own address "&timestamp" has
// been eaten by an HTML entity ("×tamp"); a push to that address has no timestamp, and is refused.
func readParameters(query url.Values) (p parameters, err error) {
	for _, parameter := range []struct {
		name  string
		value *string
	}{
		{"partner_code", &p.partnerCode},
		{"timestamp", &p.timestamp},
		{"access_key", &p.accessKey},
		{"sign", &p.sign},
	} {
		values := query[parameter.name]
		switch {
		case len(values) == 0 || len(values) == 1 && values[0] == "":
			return parameters{}, unverified(http.StatusBadRequest, parameter.name+" is missing")
		case len(values) > 1:
			return parameters{}, unverified(http.StatusBadRequest, parameter.name+" is given more than once")
		}
		*parameter.value = values[0]
	}
	return p, nil
}

// knowsKeys compares both keys in constant time, whichever of them is wrong.
func (b *bureau) knowsKeys(p parameters) bool {
	partner := subtle.ConstantTimeCompare([]byte(p.partnerCode), []byte(b.cfg.PartnerCode))
	access := subtle.ConstantTimeCompare([]byte(p.accessKey), []byte(b.cfg.AccessKey))
	return partner&access == 1
}

// checkTime wants milliseconds since 1970 in 13 digits, near to now.
func (b *bureau) checkTime(timestamp string, now time.Time) error {
	millis, err := strconv.ParseUint(timestamp, 10, 63)
	if err != nil || len(timestamp) != 13 || timestamp[0] == '0' {
		return unverified(http.StatusBadRequest, "timestamp is not in milliseconds")
	}
	age := now.Sub(time.UnixMilli(int64(millis)))
	if age > b.cfg.RetrySkew {
		return unverified(http.StatusUnauthorized, "timestamp is too old")
	}
	if age < -b.cfg.TimestampSkew {
		return unverified(http.StatusUnauthorized, "timestamp is in the future")
	}
	return nil
}

// checkSign compares sign with HmacSHA1(partner_code+timestamp+access_key, access_secret) in constant
// time, and gives its bytes: the same ones for every way in which they can be written.
func (b *bureau) checkSign(p parameters) ([]byte, bool) {
	mac := hmac.New(sha1.New, []byte(b.cfg.AccessSecret))
	mac.Write([]byte(p.partnerCode + p.timestamp + p.accessKey))
	want := mac.Sum(nil)
	for _, got := range decodeSign(p.sign, b.cfg.SignatureEncoding) {
		if hmac.Equal(got, want) {
			return want, true
		}
	}
	return nil, false
}

// decodeSign reads a signature in the encodings that are allowed. A "+" of base64 that was not escaped in
// the address has become a space on the way, and is put back.
func decodeSign(sign string, encoding SignatureEncoding) (readings [][]byte) {
	if encoding != Base64Encoding {
		if raw, err := hex.DecodeString(sign); err == nil {
			readings = append(readings, raw)
		}
	}
	if encoding != HexEncoding {
		text := strings.TrimRight(strings.ReplaceAll(sign, " ", "+"), "=")
		if raw, err := base64.RawStdEncoding.Strict().DecodeString(text); err == nil {
			readings = append(readings, raw)
		}
	}
	return readings
}

// dedupeKey is the same for every delivery of one answer: the bureau pushes an answer up to four times. A
// correction has another body, and so another key.
func dedupeKey(a answer, body []byte) string {
	content := sha256.Sum256(bytes.TrimSpace(body))
	hash := sha256.New()
	for _, part := range [][]byte{[]byte(a.SequenceID), []byte(a.Result), content[:]} {
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		hash.Write(part)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// acknowledgement is what the bureau takes for an answer to its push (seed 001, Response Parameters).
type acknowledgement struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Acknowledge answers a push. "Not 200" may mean the HTTP status or the code, so both say the same.
func (b *bureau) Acknowledge(failed error) provider.Acknowledgement {
	status, answer := http.StatusOK, acknowledgement{Code: codeSuccess}
	if failed != nil {
		status = http.StatusServiceUnavailable
		answer = acknowledgement{Code: codeInternal, Message: "Service unavailable, please retry later"}
	}
	body, err := json.Marshal(answer)
	if err != nil { // cannot be: two plain fields
		status, body = http.StatusServiceUnavailable, nil
	}
	return provider.Acknowledgement{Status: status, ContentType: "application/json", Body: body}
}
