// Package kredete is the sandbox's stand-in for Kredete's public API, as its own reference describes it
// (seed 000): OAuth tokens, customers, loans, payments, scores, and signed webhooks.
//
// Where the reference is silent, this is what the twin does:
//
//   - Customers are listed as {"data":[…],"pagination":{…}}, those of the world first.
//   - Nothing is deduplicated: each accepted POST is one more customer, loan or payment.
//   - A loan goes pending_review → approved → disbursed → active (something was paid) → repaid, or
//     pending_review → rejected. Any other step is a VALIDATION_ERROR, there being no code for conflicts.
//   - A customer or loan that a body names and that does not exist is RESOURCE_NOT_FOUND.
//   - Approve, reject and disburse ignore their body and answer the loan.
//   - loan.repayment and payment.received both tell of each payment, with the payment as data; loan.created
//     has the loan as data, loan.approved what the example of loan.disbursed has, but for the reference.
//   - The signature is the header X-Kredete-Signature, in hexadecimal.
//   - Amounts are naira. Interest and installments are rounded to whole naira as in the examples.
//
// Beside the endpoints of every twin there are POST /__sandbox/replay-history and
// POST /__sandbox/customers/{id}/verify-kyc.
package kredete

import (
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// Client is somebody who may ask for tokens.
type Client struct {
	ID     string
	Secret string
	Scopes []string // what tokens may at most be good for; all scopes where empty
}

// Options are what a Twin is made of.
type Options struct {
	World   *world.World
	Clock   func() time.Time // time.Now where nil
	Logger  *slog.Logger     // nobody is told where nil
	Clients []Client
	// TokenTTL is how long tokens are good for, one hour where 0. Answers tell it in whole seconds.
	TokenTTL time.Duration
	// Plan is the rate limit plan in force at first, one of the names of [Plans]; Unlimited where "".
	Plan string
	// Run makes this run's ids differ from those of a run with another value. Where ids are kept longer
	// than the twin lives, it has to differ each time.
	Run    uint64
	Sender twin.SenderOptions
}

// Unlimited is the plan of the embedded sandbox: its headers count, and nobody is refused in practice.
const Unlimited = "Unlimited"

// Plans are the rate limit plans (seed 000, API Rate Limits), and Unlimited before them.
func Plans() []twin.Plan {
	return []twin.Plan{
		{Name: Unlimited, PerMinute: 10_000_000, Burst: 10_000_000},
		{Name: "Sandbox", PerMinute: 60, PerDay: 10_000, Burst: 10},
		{Name: "Starter", PerMinute: 300, PerDay: 100_000, Burst: 50},
		{Name: "Professional", PerMinute: 1_000, PerDay: 500_000, Burst: 100},
		{Name: "Enterprise", PerMinute: 5_000, Burst: 500},
	}
}

// Twin is a Kredete of one's own.
type Twin struct {
	core    *twin.Core
	world   *world.World
	clock   func() time.Time
	clients []Client
	ttl     time.Duration
	ids     *twin.IDs
	routes  *http.ServeMux

	mu            sync.Mutex
	tokens        map[string]token
	issued        uint64
	run           uint64
	created       []*customer          // made through the API, in order
	changed       map[string]*customer // of the created and of the world's, those with something changed
	loans         map[string]*loan     // made through the API, or of the world and touched since
	disbursements int
	hooks         []hook
}

// New makes a twin. Stop has to be called at the end.
func New(o Options) *Twin {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.TokenTTL == 0 {
		o.TokenTTL = time.Hour
	}
	t := &Twin{
		world: o.World, clock: o.Clock, clients: o.Clients, ttl: o.TokenTTL, run: o.Run,
		ids: twin.NewIDs(o.Run), routes: http.NewServeMux(),
		tokens: map[string]token{}, changed: map[string]*customer{}, loans: map[string]*loan{},
	}
	t.core = twin.New(twin.Options{
		Clock: o.Clock, Logger: o.Logger, Refuse: t.refuse, Sender: o.Sender,
		Limits: twin.Limits{Plans: plansFrom(o.Plan), Credential: t.credential, Tell: tellLimits},
	})
	t.route()
	t.core.HandleAdmin("POST /__sandbox/replay-history", t.replayHistory)
	t.core.HandleAdmin("POST /__sandbox/customers/{id}/verify-kyc", t.verifyKYC)
	return t
}

// Core is the shared part: faults, effects, calls and webhooks.
func (t *Twin) Core() *twin.Core { return t.core }

// Handler serves the API under /v2, and the sandbox's endpoints.
func (t *Twin) Handler() http.Handler { return t.core.Handler(t.routes) }

// Stop ends the webhooks. It is safe to call twice.
func (t *Twin) Stop() { t.core.Stop() }

func (t *Twin) route() {
	t.routes.HandleFunc("POST /v2/oauth/token", t.issueToken)
	t.guard("POST /v2/customers", t.createCustomer, "write:customers")
	t.guard("GET /v2/customers/{id}", t.getCustomer, "read:customers")
	t.guard("GET /v2/customers", t.listCustomers, "read:customers")
	t.guard("POST /v2/loans", t.createLoan, "write:loans")
	t.guard("POST /v2/loans/{id}/approve", t.approveLoan, "write:loans")
	t.guard("POST /v2/loans/{id}/reject", t.rejectLoan, "write:loans")
	t.guard("POST /v2/loans/{id}/disburse", t.disburseLoan, "write:loans")
	t.guard("POST /v2/payments", t.recordPayment, "write:payments")
	t.guard("POST /v2/scoring/score", t.score, "write:scoring", "read:scoring")
	t.guard("POST /v2/webhooks", t.registerWebhook, "write:webhooks")
	t.routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.refuse(w, r, http.StatusNotFound)
	})
}

// plansFrom are the plans with the named one first.
func plansFrom(name string) []twin.Plan {
	plans := Plans()
	at := slices.IndexFunc(plans, func(p twin.Plan) bool { return p.Name == name })
	if at > 0 {
		plans[0], plans[at] = plans[at], plans[0]
	}
	return plans
}

// tellLimits writes the headers of seed 000, Rate Limit Headers. The reset is in Unix seconds.
func tellLimits(header http.Header, s twin.Standing) {
	header.Set("X-RateLimit-Limit", strconv.Itoa(s.Limit))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(s.Remaining))
	header.Set("X-RateLimit-Reset", strconv.FormatInt(s.Reset.Unix(), 10))
}

// now is the present in the precision of the API's answers.
func (t *Twin) now() time.Time { return t.clock().UTC().Truncate(time.Second) }
