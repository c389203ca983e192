// Package carbon is the sandbox's stand-in for Carbon's loan API, as its own reference describes it (seed
// 003): one call that applies for a loan, deduplicated by the merchant's reference.
//
// Where the reference is silent, this is what the twin does:
//
//   - The key is wanted in x-carbon-key, as the table of parameters says. Where apikey is sent too, as the
//     text on authorizations says, it has to be the same key. Otherwise the answer is 401.
//   - Answers are {"status":"success","message":…,"data":{…}} and {"status":"error","message":…}.
//   - A reference that is known answers its application before anything else of the body is looked at.
//   - An application is PENDING and stays so: there is no call that shows or changes one.
//   - The customers are those of the world whom Carbon knows, with the KYC status that they have at Kredete.
//
// Beside the endpoints of every twin there is POST /__sandbox/customers/{id}/verify-kyc.
package carbon

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// The limits of an application (seed 003, Request Body).
const (
	minimumAmount      = 300_000 // kobo
	longestPeriod      = 6       // months
	longestReference   = 100     // characters
	loanPurposes       = "WORKING_CAPITAL, EXPANSION_AND_GROWTH, EQUIPMENT_PURCHASE, INVENTORY_MGT, DEBT_FINANCING, STARTUP_CAPITAL, OTHERS"
	customerIsRequired = "customer_id is required"
	customerNotFound   = "Customer not found"
	kycNotVerified     = "Customer KYC must be verified before applying for a loan"
)

// Options are what a Twin is made of.
type Options struct {
	World  *world.World
	Clock  func() time.Time // time.Now where nil
	Logger *slog.Logger     // nobody is told where nil
	APIKey string
	// Run makes this run's ids differ from those of a run with another value. Where ids are kept longer
	// than the twin lives, it has to differ each time.
	Run uint64
}

// Twin is a Carbon of one's own.
type Twin struct {
	core   *twin.Core
	world  *world.World
	clock  func() time.Time
	key    string
	run    uint64
	routes *http.ServeMux

	mu           sync.Mutex
	applications map[string]application // by reference
	verified     map[string]bool        // customers whose KYC was verified since, by id in lower case
}

// New makes a twin. Stop has to be called at the end.
func New(o Options) *Twin {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	t := &Twin{
		world: o.World, clock: o.Clock, key: o.APIKey, run: o.Run, routes: http.NewServeMux(),
		applications: map[string]application{}, verified: map[string]bool{},
	}
	t.core = twin.New(twin.Options{Clock: o.Clock, Logger: o.Logger, Refuse: refuse})
	t.routes.HandleFunc("POST /v1/loans/apply", t.apply)
	t.routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { refuse(w, r, http.StatusNotFound) })
	t.core.HandleAdmin("POST /__sandbox/customers/{id}/verify-kyc", t.verifyKYC)
	return t
}

// Core is the shared part: faults, effects and calls. Carbon sends no webhooks.
func (t *Twin) Core() *twin.Core { return t.core }

// Handler serves the API under /v1, and the sandbox's endpoints.
func (t *Twin) Handler() http.Handler { return t.core.Handler(t.routes) }

// Stop lets go of what a fault holds. It is safe to call twice.
func (t *Twin) Stop() { t.core.Stop() }

// reply is every answer's form.
type reply struct {
	Status  string       `json:"status"` // success or error
	Message string       `json:"message"`
	Data    *application `json:"data,omitempty"`
}

func refuse(w http.ResponseWriter, _ *http.Request, status int) {
	fail(w, status, http.StatusText(status))
}

func fail(w http.ResponseWriter, status int, message string) {
	twin.WriteJSON(w, status, reply{Status: "error", Message: message})
}

// request is the body of Apply for Loan (seed 003, Request Body).
type request struct {
	CustomerID      string      `json:"customer_id"`
	Amount          json.Number `json:"amount"`
	RepaymentPeriod json.Number `json:"repayment_period"`
	LoanPurpose     string      `json:"loan_purpose"`
	Reference       string      `json:"reference"`
}

// application is a loan that was applied for.
type application struct {
	ID              string      `json:"id"` // a UUID
	CustomerID      string      `json:"customer_id"`
	Reference       string      `json:"reference"`
	Amount          json.Number `json:"amount"`           // kobo
	RepaymentPeriod json.Number `json:"repayment_period"` // months
	LoanPurpose     string      `json:"loan_purpose"`
	Status          string      `json:"status"`
	CreatedAt       time.Time   `json:"created_at"`
}

func (t *Twin) apply(w http.ResponseWriter, r *http.Request) {
	if !t.authorized(r) {
		refuse(w, r, http.StatusUnauthorized)
		return
	}
	var asked request
	body, err := twin.ReadJSON(r, &asked)
	if err != nil {
		fail(w, http.StatusBadRequest, explain(err))
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if known, ok := t.applications[asked.Reference]; ok {
		twin.WriteJSON(w, http.StatusOK, reply{"success", "Loan application already exists", &known})
		return
	}
	amount, status, message := t.check(&asked)
	if status != 0 {
		fail(w, status, message)
		return
	}
	made := application{
		ID: t.newID(), CustomerID: asked.CustomerID, Reference: asked.Reference,
		Amount: json.Number(amount.MinorUnits()), RepaymentPeriod: asked.RepaymentPeriod,
		LoanPurpose: asked.LoanPurpose, Status: "PENDING", CreatedAt: t.clock().UTC().Truncate(time.Second),
	}
	t.applications[made.Reference] = made
	t.core.Effects.Record(twin.Effect{
		Operation: "loan.apply", Key: made.Reference, EntityID: made.ID, Fingerprint: twin.Fingerprint(body),
	})
	twin.WriteJSON(w, http.StatusCreated, reply{"success", "Loan application created", &made})
}

// authorized compares the key in both places where the reference puts it.
func (t *Twin) authorized(r *http.Request) bool {
	right := func(sent string) bool { return subtle.ConstantTimeCompare([]byte(sent), []byte(t.key)) == 1 }
	also := r.Header.Get("apikey")
	return right(r.Header.Get("x-carbon-key")) && (also == "" || right(also))
}

// check is the status and message with which an application is refused (seed 003, Error Responses), in the
// table's order; status 0 for one that is not. The lock is held.
func (t *Twin) check(asked *request) (amount lending.Money, status int, message string) {
	const bad = http.StatusBadRequest
	if asked.CustomerID == "" {
		return amount, bad, customerIsRequired
	}
	customer, found := t.world.ByCarbonID(asked.CustomerID)
	if !found {
		return amount, bad, customerNotFound
	}
	amount, err := lending.ParseMinor(string(asked.Amount), lending.NGN)
	if err != nil && asked.Amount != "" {
		return amount, bad, "amount must be a whole number of kobo"
	}
	months, err := strconv.Atoi(string(asked.RepaymentPeriod))
	switch {
	case amount.Minor() < minimumAmount:
		return amount, bad, "minimum loan amount is 300000 kobo"
	case err != nil || months < 1 || months > longestPeriod:
		return amount, bad, "repayment_period must be between 1 and 6 months"
	case !lending.LoanPurpose(asked.LoanPurpose).Valid():
		return amount, bad, "loan_purpose must be one of: " + loanPurposes
	case asked.Reference == "":
		return amount, bad, "reference is required"
	case utf8.RuneCountInString(asked.Reference) > longestReference:
		return amount, bad, "reference must be 100 characters or less"
	case customer.KYCStatus != lending.KYCVerified && !t.verified[customer.CarbonID]:
		return amount, http.StatusUnprocessableEntity, kycNotVerified
	}
	return amount, 0, ""
}

func explain(err error) string {
	if field, ok := errors.AsType[*twin.FieldError](err); ok {
		return field.Field + " is unknown or of another type"
	}
	return "request body must be a JSON object"
}

// newID is a UUID that depends on the run and the number of applications alone. The lock is held.
func (t *Twin) newID() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d", t.run, len(t.applications)))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// verifyKYC is POST /__sandbox/customers/{id}/verify-kyc: from now on the customer may apply.
func (t *Twin) verifyKYC(w http.ResponseWriter, r *http.Request) {
	id := strings.ToLower(r.PathValue("id"))
	if _, found := t.world.ByCarbonID(id); !found {
		refuse(w, r, http.StatusNotFound)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.verified[id] = true
	t.core.Effects.Record(twin.Effect{Operation: "customer.verify_kyc", Key: id, EntityID: id})
	w.WriteHeader(http.StatusNoContent)
}
