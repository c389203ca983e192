package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	_ "net/http/pprof" // the memory figures of this process, by which it is measured
	"os"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/creditgraph/creditgraph/internal/datakey"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/provider/kredete"
	"github.com/creditgraph/creditgraph/internal/provider/kredmint"
	"github.com/creditgraph/creditgraph/internal/restclient"
	"github.com/creditgraph/creditgraph/internal/store"
)

// plainCommand serves the handler that the graph is measured against: no GraphQL, no loaders, no plan of what
// to read but the one that is written here, and a map or Redis for a cache. It asks nobody who they are.
type plainCommand struct {
	Database string `env:"DATABASE_URL" required:""`
	DataKey  string `env:"DATA_KEY" required:""`
	Redis    string `env:"REDIS_URL"`

	KredeteURL    string `env:"KREDETE_BASE_URL" required:""`
	KredeteID     string `env:"KREDETE_CLIENT_ID" required:""`
	KredeteSecret string `env:"KREDETE_CLIENT_SECRET" required:""`
	KredeteScopes string `env:"KREDETE_SCOPES" required:""`

	KredmintUser          string `env:"KREDMINT_USER_URL" required:""`
	KredmintAccount       string `env:"KREDMINT_ACCOUNT_URL" required:""`
	KredmintMerchant      string `env:"KREDMINT_MERCHANT_URL" required:""`
	KredmintAuthorization string `env:"KREDMINT_AUTHORIZATION" required:""`
	KredmintSource        string `env:"KREDMINT_SOURCE" required:""`
	KredmintPartner       string `env:"KREDMINT_PARTNER_ID"`
	KredmintToken         string `env:"KREDMINT_CLIENT_TOKEN"`
}

// Run serves until ctx ends.
func (c *plainCommand) Run(ctx context.Context) error {
	p, err := c.handler(ctx)
	if err != nil {
		return err
	}
	http.HandleFunc("GET /summary", answer(p.summary))
	http.HandleFunc("GET /table", answer(p.table))
	http.HandleFunc("GET /page", answer(p.page))
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "plain listens on http://%s\n", listener.Addr())
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // Serve tells how it ended
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return p.records.Close()
}

// plain answers three questions by hand.
type plain struct {
	records  *store.Store
	profiles *plainCache[lending.Profile]
	lines    *plainCache[lending.CreditLine]
	signUp   provider.SignUpLinker
}

func (c *plainCommand) handler(ctx context.Context) (*plain, error) {
	k, err := datakey.Derive(c.DataKey)
	if err != nil {
		return nil, err
	}
	records, err := store.Open(ctx, store.Config{URL: c.Database, DataKey: k.Records})
	if err != nil {
		return nil, err
	}
	transport, quiet := restclient.NewTransport(), slog.New(slog.DiscardHandler)
	one, err := kredete.New(kredete.Config{
		BaseURL: c.KredeteURL, ClientID: c.KredeteID, ClientSecret: c.KredeteSecret, Scopes: c.KredeteScopes,
		AmountUnit: "major", ScoreScale: "300:850", WebhookSecret: "unused", SignatureHeaders: []string{"X-Kredete-Signature"},
	}, kredete.Deps{Transport: transport, Clock: time.Now, Logger: quiet})
	if err != nil {
		return nil, err
	}
	two, err := kredmint.New(kredmint.Config{
		UserURL: c.KredmintUser, AccountURL: c.KredmintAccount, MerchantURL: c.KredmintMerchant, PartnerID: c.KredmintPartner,
		ClientToken: c.KredmintToken, Authorization: c.KredmintAuthorization, Source: c.KredmintSource, WebhookAuthorization: "unused",
	}, kredmint.Deps{Transport: transport, Clock: time.Now, Logger: quiet})
	if err != nil {
		return nil, err
	}
	var shared redis.UniversalClient
	if c.Redis != "" {
		options, err := redis.ParseURL(c.Redis)
		if err != nil {
			return nil, err
		}
		shared = redis.NewClient(options)
	}
	return &plain{
		records: records, signUp: two.SignUp,
		profiles: newPlainCache("profile:", shared, one.Profiles.Profile),
		lines:    newPlainCache("line:", shared, two.CreditLines.CreditLine),
	}, nil
}

// answer makes an HTTP handler of a question about customers.
func answer(ask func(ctx context.Context, r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		data, err := ask(r.Context(), r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(map[string]any{"data": data}); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// known is what is needed of some customers for their summaries.
type known struct {
	identities map[lending.CustomerID]map[lending.Provider]string
	exposures  map[lending.CustomerID][]lending.Exposure
	scores     map[lending.CustomerID][]*lending.CreditScore
	reports    map[lending.CustomerID][]*lending.CreditReport
	activity   map[lending.CustomerID]map[lending.Provider]time.Time
	open       map[lending.CustomerID][]*lending.Operation
	profiles   map[string]cachedValue[lending.Profile]
	lines      map[string]cachedValue[lending.CreditLine]
}

// read makes the calls: the same statements as the service's, and one call for each profile and line that is
// not in the cache, at the same time.
func (p *plain) read(ctx context.Context, ids []lending.CustomerID) (k known, err error) {
	rows, err := p.records.Identities(ctx, ids)
	if err != nil {
		return k, err
	}
	k.identities = map[lending.CustomerID]map[lending.Provider]string{}
	var atKredete, atKredmint []string
	for id, list := range rows {
		k.identities[id] = map[lending.Provider]string{}
		for _, identity := range list {
			k.identities[id][identity.Provider] = identity.ExternalID
			switch identity.Provider {
			case lending.Kredete:
				atKredete = append(atKredete, identity.ExternalID)
			case lending.Kredmint:
				atKredmint = append(atKredmint, identity.ExternalID)
			}
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { k.profiles, err = p.profiles.get(ctx, atKredete); return err })
	group.Go(func() (err error) { k.lines, err = p.lines.get(ctx, atKredmint); return err })
	group.Go(func() (err error) {
		for _, read := range []func() error{
			func() (err error) { k.exposures, err = p.records.Exposures(ctx, ids); return err },
			func() (err error) { k.scores, err = p.records.LatestScores(ctx, ids); return err },
			func() (err error) { k.reports, err = p.records.LatestReports(ctx, ids); return err },
			func() (err error) { k.activity, err = p.records.LoanActivity(ctx, ids); return err },
			func() (err error) { k.open, err = p.records.OpenOperations(ctx, ids); return err },
		} {
			if err := read(); err != nil {
				return err
			}
		}
		return nil
	})
	return k, group.Wait()
}
