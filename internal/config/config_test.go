package config

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// parse makes a Config as the command line does, from the given environment, and expects it to be good.
func parse(t *testing.T, env map[string]string) *Config {
	t.Helper()
	c, err := try(t, env)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// try is parse with the parser's verdict: kong calls Validate.
func try(t *testing.T, env map[string]string) (*Config, error) {
	t.Helper()
	for name, value := range env {
		t.Setenv(name, value)
	}
	options, err := Options()
	if err != nil {
		t.Fatal(err)
	}
	var c Config
	parser, err := kong.New(&c, options...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(nil)
	return &c, err
}

func TestDefaultsAreTheEmbeddedSandbox(t *testing.T) {
	c := parse(t, nil)
	if !c.Embedded() {
		t.Error("without any address the twins should stand in")
	}
	if err := c.Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	if c.Listen != "127.0.0.1:8080" || c.Sandbox.Customers != 200 {
		t.Errorf("listen %q, customers %d", c.Listen, c.Sandbox.Customers)
	}
}

func TestAnyAddressTurnsTheTwinsOff(t *testing.T) {
	for _, name := range []string{
		"KREDETE_BASE_URL", "TRUSTDECISION_QUERY_URL", "TRUSTDECISION_BACKUP_URL", "KREDMINT_USER_URL",
		"KREDMINT_ACCOUNT_URL", "KREDMINT_MERCHANT_URL", "CARBON_BASE_URL", "ONEPIPE_BASE_URL",
	} {
		t.Run(name, func(t *testing.T) {
			if c, _ := try(t, map[string]string{name: "https://provider.example"}); c.Embedded() {
				t.Error("the twins still stand in")
			}
		})
	}
}

func TestAWrongSettingIsNamedWithWhatItShouldBe(t *testing.T) {
	for _, tc := range []struct {
		name, value, says string
		with              map[string]string
	}{
		{name: "CREDITGRAPH_LISTEN", value: "8080", says: "HOST:PORT"},
		{name: "PUBLIC_URL", value: "credit.example.com", says: "absolute"},
		{name: "DATABASE_URL", value: "mysql://x", says: "postgres://"},
		{name: "REDIS_URL", value: "localhost:6379", says: "redis://"},
		{name: "DATA_KEY", value: "short", says: "32 random characters"},
		{name: "CREDITGRAPH_READ_DEADLINE", value: "0s", says: "over zero"},
		{name: "CREDITGRAPH_EVENT_RETENTION", value: "23h59m", says: "at least 24h"},
		{name: "CREDITGRAPH_PROFILE_HARD_TTL", value: "1s", says: "PROFILE_SOFT_TTL"},
		{name: "CREDITGRAPH_SANDBOX_CUSTOMERS", value: "0", says: "1 to 100000"},
		{name: "CREDITGRAPH_RETRIES", value: "11", says: "0 to 10"},
		{name: "CREDITGRAPH_READ_CONCURRENCY", value: "0", says: "1 to 10000"},
		{name: "CREDITGRAPH_WRITE_CONCURRENCY", value: "-1", says: "1 to 10000"},
		{name: "CREDITGRAPH_CIRCUIT_FAILURES", value: "0", says: "1 to 100"},
		{name: "CREDITGRAPH_CIRCUIT_CALLS", value: "0", says: "1 to 1000000"},
		{name: "CREDITGRAPH_CIRCUIT_WINDOW", value: "0s", says: "10ms to 1h"},
		{name: "CREDITGRAPH_CIRCUIT_DELAY", value: "2h", says: "10ms to 1h"},
		{name: "TRUSTDECISION_RATE_PER_MINUTE", value: "-1", says: "0 (no limit)"},
		{name: "KREDMINT_RATE_PER_MINUTE", value: "-1", says: "0 (no limit)"},
		{name: "CARBON_RATE_PER_MINUTE", value: "1000001", says: "1000000"},
		{name: "ONEPIPE_RATE_PER_MINUTE", value: "-1", says: "0 (no limit)"},
		{name: "CREDITGRAPH_CORS_ORIGINS", value: "*", says: "without *"},
		{name: "CREDITGRAPH_CORS_ORIGINS", value: "https://office.example.com,https://*.example.com", says: "without *"},
		{name: "CREDITGRAPH_CORS_ORIGINS", value: "https://office.example.com/", says: "without a path"},
		{name: "CREDITGRAPH_CORS_ORIGINS", value: "office.example.com", says: "origins"},
		{name: "CREDITGRAPH_TRUSTED_PROXIES", value: "10.0.0.1", says: "networks"},
		{name: "CREDITGRAPH_TRUSTED_PROXIES", value: "10.0.0.0/8,0.0.0.0/0", says: "no others"},
		{name: "KREDETE_BASE_URL", value: "api.kredete.com", says: "absolute"},
		{name: "AUTH_JWKS_URL", value: "", says: "needed with", with: map[string]string{"AUTH_ISSUER": "https://id.example", "AUTH_AUDIENCE": "credit"}},
		{name: "AUTH_JWKS_URL", value: "http://id.example/jwks", says: "https", with: map[string]string{"AUTH_ISSUER": "https://id.example", "AUTH_AUDIENCE": "credit"}},
		{name: "AUTH_ISSUER", value: "", says: "the iss", with: map[string]string{"AUTH_JWKS_URL": "https://id.example/jwks", "AUTH_AUDIENCE": "credit"}},
		{name: "AUTH_ISSUER", value: "creditgraph", says: "built-in", with: map[string]string{"AUTH_JWKS_URL": "https://id.example/jwks", "AUTH_AUDIENCE": "credit"}},
		{name: "AUTH_AUDIENCE", value: "", says: "the aud", with: map[string]string{"AUTH_JWKS_URL": "https://id.example/jwks", "AUTH_ISSUER": "https://id.example"}},
		{name: "TRUSTDECISION_BACKUP_URL", value: "", says: "needed with the other addresses", with: map[string]string{"TRUSTDECISION_QUERY_URL": "https://td.example"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			env := map[string]string{tc.name: tc.value}
			for k, v := range tc.with {
				env[k] = v
			}
			_, err := try(t, env)
			if err == nil || !strings.Contains(err.Error(), tc.name+": ") || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v; want it to name %s and say %q", err, tc.name, tc.says)
			}
		})
	}
}

func TestProxiesAreNetworks(t *testing.T) {
	c := parse(t, map[string]string{"CREDITGRAPH_TRUSTED_PROXIES": "10.0.0.0/8,fd00::1/64"})
	got, err := c.Proxies()
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/64")}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

func TestAnIdentityProviderIsNamedWholly(t *testing.T) {
	for _, address := range []string{"https://id.example/jwks", "http://127.0.0.1:9000/jwks", "http://[::1]/jwks", "http://localhost:9000/jwks"} {
		t.Run(address, func(t *testing.T) {
			c := parse(t, map[string]string{"AUTH_JWKS_URL": address, "AUTH_ISSUER": "https://id.example", "AUTH_AUDIENCE": "credit"})
			if c.IdentityProvider.CustomerClaim != "creditgraph_customer" {
				t.Errorf("the customer's claim is %q", c.IdentityProvider.CustomerClaim)
			}
		})
	}
}

func TestAProviderOfOurOwnNeedsADatabaseAndAKey(t *testing.T) {
	_, err := try(t, map[string]string{"CARBON_BASE_URL": "https://carbon.example", "CARBON_API_KEY": "k"})
	for _, name := range []string{"DATABASE_URL", "DATA_KEY"} {
		if err == nil || !strings.Contains(err.Error(), name+": ") {
			t.Errorf("got %v; want it to name %s", err, name)
		}
	}
}

func TestPrintMasksEverySecret(t *testing.T) {
	env := map[string]string{
		"DATABASE_URL": "postgres://user:canary-password@db.example/credit?sslmode=require",
		"REDIS_URL":    "redis://:canary-password@cache.example",
	}
	for _, s := range new(Config).Settings() {
		if s.Secret && env[s.Name] == "" {
			env[s.Name] = "canary-secret-of-thirty-two-characters-" + s.Name
		}
	}
	var out bytes.Buffer
	if err := parse(t, env).Print(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "canary") {
		t.Errorf("a secret is printed:\n%s", out.String())
	}
	if !strings.Contains(out.String(), "DATABASE_URL=postgres://db.example/credit\n") {
		t.Errorf("one cannot see which database it is:\n%s", out.String())
	}
}

func TestTheFileFillsInWhatTheEnvironmentLeaves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings")
	content := "# settings\nKREDETE_CLIENT_ID = from-file\nCREDITGRAPH_LISTEN=127.0.0.1:9999\n"
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	c := parse(t, map[string]string{FileVariable: path, "CREDITGRAPH_LISTEN": "127.0.0.1:7777"})
	if c.Kredete.ClientID != "from-file" || c.Listen != "127.0.0.1:7777" {
		t.Errorf("client id %q, listen %q; want the file's and the environment's", c.Kredete.ClientID, c.Listen)
	}
}

func TestATypoInTheFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings")
	if err := os.WriteFile(path, []byte("KREDETE_CLIENTID=x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(FileVariable, path)
	if _, err := Options(); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("got %v, want an error that names the line", err)
	}
}

func TestTheSettingsOfTheProductionGuideAreSettings(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "production", "creditgraph.env")
	c := parse(t, map[string]string{FileVariable: path, "DATA_KEY": "a-key-of-more-than-thirty-two-characters", "KREDETE_CLIENT_ID": "id", "KREDETE_CLIENT_SECRET": "secret", "KREDETE_WEBHOOK_SECRET": "secret"})
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if c.Embedded() || c.Replicas != 2 || !strings.HasPrefix(string(c.DatabaseURL), "postgres://") {
		t.Errorf("the file says something else: %d replicas on %s", c.Replicas, c.DatabaseURL)
	}
}

// TestProfilesAreForThisMachineAlone refuses addresses that others reach.
func TestProfilesAreForThisMachineAlone(t *testing.T) {
	for address, good := range map[string]bool{
		"127.0.0.1:6060": true, "[::1]:6060": true, "localhost:6060": true, "": true,
		":6060": false, "0.0.0.0:6060": false, "10.0.0.1:6060": false, "debug.example:6060": false, "127.0.0.1": false, "127.0.0.1:": false,
	} {
		_, err := try(t, map[string]string{"CREDITGRAPH_DEBUG_LISTEN": address})
		if named := err != nil && strings.Contains(err.Error(), "CREDITGRAPH_DEBUG_LISTEN: "); named == good {
			t.Errorf("%q gave %v", address, err)
		}
	}
}

// TestWhereTracesGo reads OpenTelemetry's variables as its specification has them.
func TestWhereTracesGo(t *testing.T) {
	for _, tc := range []struct {
		name string
		env  map[string]string
		want string
	}{
		{"nothing is set", nil, ""},
		{"a collector", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, "http://127.0.0.1:4318/v1/traces"},
		{"a collector behind a path", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otel.example/in/"}, "https://otel.example/in/v1/traces"},
		{"one for traces", map[string]string{
			"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/traces",
		}, "http://127.0.0.1:9/traces"},
		{"switched off", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"}, ""},
		{"no exporter", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := parse(t, tc.env).Tracing.Address(); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	for _, env := range []map[string]string{
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"}, {"CREDITGRAPH_SLOW_OPERATION": "-1s"}, {"CREDITGRAPH_UNKNOWN_ALERT_AFTER": "0s"},
	} {
		if _, err := try(t, env); err == nil {
			t.Errorf("%v is taken", env)
		}
	}
}

// TestSecretsAreNotLogged logs one in each way.
func TestSecretsAreNotLogged(t *testing.T) {
	var out bytes.Buffer
	secret := Secret("canary")
	slog.New(slog.NewJSONHandler(&out, nil)).Info("said", "it", secret, "behind a pointer", &secret, "error", fmt.Errorf("%v %s %+v %#v %q", secret, secret, secret, secret, secret))
	slog.New(slog.NewTextHandler(&out, nil)).Info("said", "it", secret, slog.Group("group", "it", secret))
	if strings.Contains(out.String(), "canary") {
		t.Error(out.String())
	}
}
