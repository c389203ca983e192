package trustdecision_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider/trustdecision"
)

func TestNewOffersReportsAlone(t *testing.T) {
	t.Parallel()
	p, err := trustdecision.New(config("https://example.test"), trustdecision.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	want := []lending.Capability{lending.CanReport, lending.CanSendWebhooks}
	if diff := cmp.Diff(want, p.Capabilities()); diff != "" {
		t.Error(diff)
	}
	if p.Name != lending.TrustDecision || p.Pinger == nil || len(p.Recovery) != 0 {
		t.Errorf("name %q, pinger %v, recovery %v", p.Name, p.Pinger, p.Recovery)
	}
}

func TestNewNamesTheSettingThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*trustdecision.Config)
		want   string
	}{
		"no query URL":          {func(c *trustdecision.Config) { c.QueryURL = "" }, "TRUSTDECISION_QUERY_URL: is required"},
		"no backup URL":         {func(c *trustdecision.Config) { c.BackupURL = " " }, "TRUSTDECISION_BACKUP_URL: is required"},
		"relative URL":          {func(c *trustdecision.Config) { c.QueryURL = "/query" }, "TRUSTDECISION_QUERY_URL: "},
		"credentials in URL":    {func(c *trustdecision.Config) { c.BackupURL = "https://u:hunter2@x.test/" }, "TRUSTDECISION_BACKUP_URL: "},
		"no partner code":       {func(c *trustdecision.Config) { c.PartnerCode = "" }, "TRUSTDECISION_PARTNER_CODE: "},
		"no partner key":        {func(c *trustdecision.Config) { c.PartnerKey = "" }, "TRUSTDECISION_PARTNER_KEY: "},
		"no access key":         {func(c *trustdecision.Config) { c.AccessKey = "\n" }, "TRUSTDECISION_ACCESS_KEY: "},
		"no access secret":      {func(c *trustdecision.Config) { c.AccessSecret = "" }, "TRUSTDECISION_ACCESS_SECRET: "},
		"unknown phone style":   {func(c *trustdecision.Config) { c.PhoneStyle = "e164" }, "TRUSTDECISION_PHONE_STYLE: "},
		"unknown placement":     {func(c *trustdecision.Config) { c.CredentialsIn = "cookie" }, "TRUSTDECISION_CREDENTIALS_IN: "},
		"unknown encoding":      {func(c *trustdecision.Config) { c.SignatureEncoding = "base32" }, "TRUSTDECISION_SIGNATURE_ENCODING: "},
		"negative skew":         {func(c *trustdecision.Config) { c.TimestampSkew = -1 }, "TRUSTDECISION_TIMESTAMP_SKEW: "},
		"retry skew below skew": {func(c *trustdecision.Config) { c.RetrySkew = time.Second }, "TRUSTDECISION_RETRY_SKEW: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config("https://example.test")
			test.change(&cfg)
			_, err := trustdecision.New(cfg, trustdecision.Deps{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want one with %q", err, test.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), accessSecret) {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
}

func TestNewNamesAllMissingSettingsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := trustdecision.New(trustdecision.Config{}, trustdecision.Deps{})
	if err == nil {
		t.Fatal("an empty configuration was accepted")
	}
	if got := strings.Count(err.Error(), "is required"); got != 6 {
		t.Errorf("%d settings named, want 6:\n%v", got, err)
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		want   lending.ErrorKind
	}{
		"not found is alive":     {http.StatusNotFound, ""},
		"redirect is alive":      {http.StatusFound, ""},
		"server's failure":       {http.StatusBadGateway, lending.KindUpstreamUnavailable},
		"too many pings is life": {http.StatusTooManyRequests, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := setup(t)
			d.answers(test.status, "")
			if got := lending.KindOf(d.Pinger.Ping(t.Context())); got != test.want {
				t.Errorf("kind %q, want %q", got, test.want)
			}
			request := d.only(t)
			if request.method != http.MethodGet || request.path != "/" || len(request.query) != 0 || request.body != "" {
				t.Errorf("the ping asked %+v; it may neither order nor show who we are", request)
			}
		})
	}
}

func TestPingOfNobody(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.server.Close()
	if got := lending.KindOf(d.Pinger.Ping(t.Context())); got != lending.KindUpstreamUnavailable {
		t.Errorf("kind %q", got)
	}
}
