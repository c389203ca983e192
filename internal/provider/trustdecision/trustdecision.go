// Package trustdecision is the driver for TrustDecision's credit reports on people in Nigeria.
//
// A report is ordered with one call and comes later as a push to our webhook address; a backup query
// fetches a report whose push got lost (seed 001). Four things shape this driver:
//
//   - Errors are codes in the body. The page does not say with which HTTP status they come, so the code
//     decides wherever there is one that the page names, and the HTTP status only where there is none.
//   - An order is billed and not deduped. An order whose answer is lost or is "internal error" may have
//     been taken: its outcome is unknown until the push comes, and it is never sent again.
//   - The push's signature covers the time and the keys, but not the body. The order's token comes back
//     in ext, and is what binds a report to the order that it answers.
//   - The report is text: lower-cased dates, grouped digits, "na". What cannot be read is left out with
//     a warning that names the field, never the value; it does not cost the rest of the report.
//
// The bureau's report holds no score of creditworthiness, so the driver offers reports alone.
package trustdecision

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

// defaultSkew is how far a push's timestamp may be from our clock.
const defaultSkew = 5 * time.Minute

// Config is where TrustDecision is, and who we are there. The addresses and the credentials are required.
type Config struct {
	// QueryURL and BackupURL are the whole addresses of the asynchronous query (step 1) and of the backup
	// query. The page leaves both blank: TrustDecision tells them with the credentials.
	QueryURL, BackupURL string
	// PartnerCode and PartnerKey are our credentials for the calls.
	PartnerCode, PartnerKey string
	// AccessKey and AccessSecret are what a push is signed with, beside PartnerCode.
	AccessKey, AccessSecret string
	// PhoneStyle is how phone numbers are written. Default: [National10].
	PhoneStyle PhoneStyle
	// CredentialsIn is where PartnerCode and PartnerKey are put; the page does not say. Default: [InQuery].
	CredentialsIn Placement
	// SignatureEncoding is how a push's sign is written; the page does not say. Default: [AnyEncoding].
	SignatureEncoding SignatureEncoding
	// TimestampSkew is how far a push's timestamp may be from our clock, either way. Default: 5 minutes.
	TimestampSkew time.Duration
	// RetrySkew is how old a push's timestamp may be, where that is longer than TimestampSkew: for a
	// bureau that repeats a push with the timestamp of its first attempt. Default: TimestampSkew.
	RetrySkew time.Duration
}

// PhoneStyle is how a phone number is written "without country code".
type PhoneStyle string

// The styles of phone numbers.
const (
	National10 PhoneStyle = "national10" // 8012345678, as in the page's example
	Trunk0     PhoneStyle = "trunk0"     // 08012345678, as another page of TrustDecision's has it
)

// Placement is where the credentials of a call are put.
type Placement string

// The placements of credentials.
const (
	InQuery   Placement = "query"   // as TrustDecision's other pages show it
	InBody    Placement = "body"    // beside the body's own fields
	InHeaders Placement = "headers" // as headers named partner_code and partner_key
)

// SignatureEncoding is how a signature's bytes are written as text.
type SignatureEncoding string

// The encodings of signatures.
const (
	AnyEncoding    SignatureEncoding = "any" // either of the others
	HexEncoding    SignatureEncoding = "hex"
	Base64Encoding SignatureEncoding = "base64"
)

// Deps is what the driver needs from outside. Each may be left out.
type Deps struct {
	Transport http.RoundTripper // default: a pooled transport of its own
	Clock     func() time.Time  // default: time.Now
	Logger    *slog.Logger      // default: discards
}

// bureau is TrustDecision as the port sees it.
type bureau struct {
	cfg     Config
	queries *restclient.Client
	backup  *restclient.Client
	clock   func() time.Time
	odd     *wire.Oddities
}

var (
	_ provider.ReportOrderer   = (*bureau)(nil)
	_ provider.WebhookReceiver = (*bureau)(nil)
	_ provider.Pinger          = (*bureau)(nil)
)

// New makes the driver. It sends nothing. An error names the setting that is missing or cannot be.
//
// No operation can be recovered by asking: the backup query needs the sequence_id that a lost answer
// took with it. The push settles it, by the order's token.
func New(cfg Config, deps Deps) (*provider.Provider, error) {
	restclient.Defaults(&deps.Transport, &deps.Clock, &deps.Logger)
	b := &bureau{cfg: cfg.withDefaults(), clock: deps.Clock, odd: wire.NewOddities(deps.Logger, lending.TrustDecision)}
	if err := errors.Join(b.connect(deps.Transport), b.cfg.validate()); err != nil {
		return nil, err
	}
	return &provider.Provider{Name: lending.TrustDecision, Reports: b, WebhookReceiver: b, Pinger: b}, nil
}

// connect makes the clients; nothing is sent.
func (b *bureau) connect(transport http.RoundTripper) error {
	client := func(setting, address string) (*restclient.Client, error) {
		if address == "" {
			return nil, errors.New(setting + ": is required")
		}
		c, err := restclient.New(restclient.Config{BaseURL: address, Transport: transport})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", setting, err)
		}
		return c, nil
	}
	var errQuery, errBackup error
	b.queries, errQuery = client("TRUSTDECISION_QUERY_URL", b.cfg.QueryURL)
	b.backup, errBackup = client("TRUSTDECISION_BACKUP_URL", b.cfg.BackupURL)
	return errors.Join(errQuery, errBackup)
}

// withDefaults fills in what was left out. A line break after a secret is what an environment made from
// files leaves behind; it is never part of the secret.
func (c Config) withDefaults() Config {
	for _, text := range []*string{
		&c.QueryURL, &c.BackupURL, &c.PartnerCode, &c.PartnerKey, &c.AccessKey, &c.AccessSecret,
	} {
		*text = strings.TrimSpace(*text)
	}
	c.PhoneStyle = cmp.Or(c.PhoneStyle, National10)
	c.CredentialsIn = cmp.Or(c.CredentialsIn, InQuery)
	c.SignatureEncoding = cmp.Or(c.SignatureEncoding, AnyEncoding)
	c.TimestampSkew = cmp.Or(c.TimestampSkew, defaultSkew)
	c.RetrySkew = cmp.Or(c.RetrySkew, c.TimestampSkew)
	return c
}

// validate names every setting that is missing or cannot be, and repeats no value.
func (c Config) validate() error {
	var problems []error
	for _, check := range []struct {
		setting string
		ok      bool
		problem string
	}{
		{"PARTNER_CODE", c.PartnerCode != "", "is required"},
		{"PARTNER_KEY", c.PartnerKey != "", "is required"},
		{"ACCESS_KEY", c.AccessKey != "", "is required"},
		{"ACCESS_SECRET", c.AccessSecret != "", "is required"},
		{"PHONE_STYLE", oneOf(c.PhoneStyle, National10, Trunk0), "has to be national10 or trunk0"},
		{"CREDENTIALS_IN", oneOf(c.CredentialsIn, InQuery, InBody, InHeaders), "has to be query, body or headers"},
		{
			"SIGNATURE_ENCODING", oneOf(c.SignatureEncoding, AnyEncoding, HexEncoding, Base64Encoding),
			"has to be any, hex or base64",
		},
		{"TIMESTAMP_SKEW", c.TimestampSkew > 0, "has to be positive"},
		{"RETRY_SKEW", c.RetrySkew >= c.TimestampSkew, "has to be at least the timestamp skew"},
	} {
		if !check.ok {
			problems = append(problems, fmt.Errorf("TRUSTDECISION_%s: %s", check.setting, check.problem))
		}
	}
	return errors.Join(problems...)
}

func oneOf[T comparable](value T, set ...T) bool { return slices.Contains(set, value) }
