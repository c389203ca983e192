package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/config"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/reliability"
	"github.com/creditgraph/creditgraph/internal/sandbox"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
	"github.com/creditgraph/creditgraph/internal/service"
)

// actWorld is the whole program over its twins, as one client sees it. It keeps what was sent and answered,
// so that in the end it can be held against the twins' effects and the records.
type actWorld struct {
	t      testing.TB
	app    *app
	twins  *sandbox.Sandbox
	client string
	token  string
	http   *http.Client
	told   *actExchanges
	at     string // the address that is asked; "" for the program's own
}

// actExchanges are what was sent and answered, by all clients of one database.
type actExchanges struct {
	mu  sync.Mutex
	all []reliability.Exchange
}

// on is the same world for another test, such as a part of this one.
func (w *actWorld) on(t testing.TB) *actWorld {
	other := *w
	other.t = t
	return &other
}

// actDeadline is the write deadline of these tests: long enough for a busy machine, short enough to wait for.
const actDeadline = 1500 * time.Millisecond

// actSettings are the defaults on any free port, with SQLite and a short write deadline.
func actSettings(t testing.TB) config.Config {
	t.Helper()
	settings, err := testSettings(t.TempDir(), setup{customers: 30})
	if err != nil {
		t.Fatal(err)
	}
	settings.WriteDeadline = actDeadline
	return settings
}

// actStart runs the program with everybody imported and the webhooks of all providers on; no scenario is
// played, so that whatever happens is the test's own doing.
func actStart(t testing.TB, change ...func(*config.Config)) *actWorld {
	t.Helper()
	settings := actSettings(t)
	for _, c := range change {
		c(&settings)
	}
	a := actRun(t, settings)
	w := actClient(t, a, a.sandbox)
	if _, err := a.service.ImportCustomers(t.Context(), lending.Kredete, nil); err != nil {
		t.Fatalf("import: %v", lending.AsError(err).Detail())
	}
	a.sandbox.Kredete.Subscribe(a.address()+"/webhooks/kredete", string(a.settings.Kredete.WebhookSecret))
	return w
}

// actRun starts the program and ends it with the test.
func actRun(t testing.TB, settings config.Config) *app {
	t.Helper()
	a, err := start(t.Context(), settings, io.Discard, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() { actStop(t, a) })
	return a
}

func actStop(t testing.TB, a *app) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := a.stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// actClient is a client of a program that runs already.
func actClient(t testing.TB, a *app, twins *sandbox.Sandbox) *actWorld {
	t.Helper()
	const name = "back-office"
	token, err := a.issuer.Issue(name, auth.Scopes(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	return &actWorld{t: t, app: a, twins: twins, client: name, token: token, told: &actExchanges{}, http: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
}

// person is a customer whom all providers know that know the person in the made-up world.
func (w *actWorld) person(i int) (world.Person, string) {
	w.t.Helper()
	p := w.twins.World.Person(i)
	id, err := w.app.records.CustomerByIdentity(w.t.Context(), lending.Kredete, p.KredeteID)
	if err != nil {
		w.t.Fatal(err)
	}
	global := lending.GlobalID(lending.CustomerNode, id)
	for name, external := range map[lending.Provider]string{
		lending.TrustDecision: p.BVN, lending.Kredmint: p.KredmintMobile, lending.Carbon: p.CarbonID, lending.OnePipe: p.CustomerRef,
	} {
		if external == "" {
			continue
		}
		err := done(w.app.service.LinkCustomer(w.t.Context(), service.Caller{ClientID: "setup"}, service.LinkCustomerInput{
			CustomerID: global, Provider: name, ExternalID: external,
		}))
		if err != nil {
			w.t.Fatalf("link %s: %v", name, err)
		}
	}
	return p, global
}

// actFields is a part of a request or an answer.
type actFields = map[string]any

// actRequest is one mutation.
type actRequest struct {
	mutation string
	input    actFields
	// meaning is the input in short, the same for two spellings of it; the whole input where "".
	meaning string
	subject string // see reliability.Exchange
	file    []byte // of an upload
	name    string // the file's
}

func (r actRequest) key() string {
	key, _ := r.input["idempotencyKey"].(string)
	return key
}

// with is the request with some of its input replaced.
func (r actRequest) with(changes actFields) actRequest {
	r.input = maps.Clone(r.input)
	maps.Copy(r.input, changes)
	return r
}

// actEntities are what each mutation makes or changes, as far as these tests look at it.
var actEntities = map[string]string{
	"createCustomer":     "customer { id fullName status }",
	"applyForLoan":       "loan { id externalId reference status providerStatus principal { amount currency } totalRepayment { amount } tenure { value unit } createdAt }",
	"approveLoan":        "loan { id externalId status providerStatus }",
	"rejectLoan":         "loan { id externalId status providerStatus }",
	"disburseLoan":       "loan { id externalId status providerStatus }",
	"recordPayment":      "payment { id externalId status reference amount { amount } allocation { principal { amount } } }",
	"requestCreditScore": "score { id value normalized band }",
	"confirmCreditScore": "score { id value normalized band }",
	"orderCreditReport":  "report { id status orderedAt }",
	"createSupplier":     "supplier { id externalId name status }",
	"payInvoice":         "redirectUrl loan { id reference status }",
	"uploadDocument":     "document { id externalId name kind }",
	"registerWebhook":    "webhook { id url events active }",
}

const actOperationFields = "operation { id kind status prompt replayed requestedAt settledAt failure { code message retryable providerCode } }"

func (r actRequest) document() string {
	return r.field(r.mutation, "$input", "mutation M($input: "+r.inputType()+"!)")
}

func (r actRequest) inputType() string {
	return strings.ToUpper(r.mutation[:1]) + r.mutation[1:] + "Input"
}

func (r actRequest) field(alias, variable, head string) string {
	return fmt.Sprintf("%s { %s: %s(input: %s) { %s %s userErrors { code message field } } }",
		head, alias, r.mutation, variable, actOperationFields, actEntities[r.mutation])
}

// actAnswer is what a mutation was answered.
type actAnswer struct {
	Operation *struct {
		ID, Kind, Status, Prompt string
		Replayed                 bool
		Failure                  *struct {
			Code, Message string
			Retryable     bool
		}
	}
	Loan, Payment, Customer, Supplier, Score, Report, Document, Webhook *struct {
		ID, ExternalID, Status string
	}
	UserErrors []actUserError
	raw        string // as it came
	errors     []actGraphError
}

type actUserError struct {
	Code, Message string
	Field         []string
}

type actGraphError struct {
	Message    string
	Extensions map[string]any
}

// status is the operation's, "" where there is none.
func (a actAnswer) status() lending.OperationStatus {
	if a.Operation == nil {
		return ""
	}
	return lending.OperationStatus(a.Operation.Status)
}

// operation is the operation's id as the database has it.
func (a actAnswer) operation(t testing.TB) lending.OperationID {
	t.Helper()
	if a.Operation == nil {
		t.Fatalf("no operation in %s, errors %v", a.raw, a.errors)
	}
	id, err := lending.ParseID[lending.OperationID](lending.OperationNode, a.Operation.ID)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// codes are the kinds of the user errors.
func (a actAnswer) codes() []lending.ErrorKind {
	var codes []lending.ErrorKind
	for _, e := range a.UserErrors {
		codes = append(codes, lending.ErrorKind(e.Code))
	}
	return codes
}

// send sends a mutation and remembers it. It may be called from any goroutine.
func (w *actWorld) send(r actRequest) actAnswer {
	w.t.Helper()
	answer := w.ask(r)
	x := reliability.Exchange{
		Client: w.client, Key: r.key(), Input: r.meaning, Subject: r.subject, Status: answer.status(), Problems: answer.codes(),
		Payload: strings.Replace(answer.raw, `"replayed":true`, `"replayed":false`, 1),
	}
	if x.Input == "" {
		text, err := json.Marshal([]any{r.mutation, r.input})
		if err != nil {
			w.t.Errorf("input: %v", err)
		}
		x.Input = string(text)
	}
	if answer.Operation != nil {
		x.Operation = answer.operation(w.t)
	}
	w.told.mu.Lock()
	defer w.told.mu.Unlock()
	w.told.all = append(w.told.all, x)
	return answer
}

func (w *actWorld) ask(r actRequest) actAnswer {
	w.t.Helper()
	var data map[string]json.RawMessage
	errs := w.graph(r, &data)
	answer := actAnswer{raw: string(data[r.mutation]), errors: errs}
	if len(data[r.mutation]) > 0 {
		if err := json.Unmarshal(data[r.mutation], &answer); err != nil {
			w.t.Errorf("answer %s: %v", answer.raw, err)
		}
	}
	return answer
}

// graph posts a mutation, as JSON or with its file as a multipart form.
func (w *actWorld) graph(r actRequest, data any) []actGraphError {
	w.t.Helper()
	body := actFields{"query": r.document(), "variables": actFields{"input": r.input}}
	if r.file == nil {
		return w.post(body, data)
	}
	operations, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	_ = writer.WriteField("operations", string(operations)) // a buffer takes everything
	_ = writer.WriteField("map", `{"0":["variables.input.file"]}`)
	part, err := writer.CreateFormFile("0", r.name)
	if err != nil {
		w.t.Fatal(err)
	}
	_, _ = part.Write(r.file)
	_ = writer.Close()
	return w.exchange(writer.FormDataContentType(), form.Bytes(), data)
}

func (w *actWorld) post(body, data any) []actGraphError {
	w.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.exchange("application/json", text, data)
}

func (w *actWorld) exchange(contentType string, body []byte, data any) []actGraphError {
	w.t.Helper()
	request, err := http.NewRequest(http.MethodPost, cmp.Or(w.at, w.app.address())+"/graphql", bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Authorization", "Bearer "+w.token)
	request.Header.Set("GraphQL-Require-Preflight", "1")
	response, err := w.http.Do(request)
	if err != nil {
		w.t.Errorf("post: %v", err)
		return nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Errorf("read: %v", err)
		return nil
	}
	answer := struct {
		Data   any
		Errors []actGraphError
	}{Data: data}
	if err := json.Unmarshal(text, &answer); err != nil {
		w.t.Errorf("status %d, body %s: %v", response.StatusCode, text, err)
	}
	return answer.Errors
}
