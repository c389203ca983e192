package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/creditgraph/creditgraph/internal/auth"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox"
)

// canaries are personal values and secrets that could be nothing else, by what they are. They go in wherever a
// client or a provider can give such a value.
func canaries(p *program) map[string]string {
	person := p.sandbox.World.Person(0)
	all := map[string]string{
		"BVN": person.BVN, "NIN": canaryNIN, "account number": canaryAccount, "supplier's account number": canarySupplierAccount,
		"PAN": canaryPAN, "OTP": canaryOTP, "phone number": canaryPhone, "e-mail address": canaryEmail, "supplier's mobile number": canaryMobile,
		"supplier's e-mail address": canarySupplierEmail, "mobile number at Kredmint": person.KredmintMobile, "password of a file": canaryPassword,
		"token": p.token, "data key": testKey,
	}
	for _, setting := range p.sandbox.Settings() {
		for _, word := range []string{"SECRET", "KEY", "TOKEN", "AUTHORIZATION"} {
			if strings.Contains(setting[0], word) && len(setting[1]) > 8 {
				all[setting[0]] = setting[1]
			}
		}
	}
	return all
}

const (
	canaryNIN             = "71713434717"
	canaryAccount         = "9090817263"
	canarySupplierAccount = "707081726354"
	canaryPAN             = "CANRY1234F"
	canaryOTP             = "918273"
	canaryPhone           = "+2348099917171"
	canaryEmail           = "canary.person@canary.example"
	canaryMobile          = "7999081726"
	canarySupplierEmail   = "canary.supplier@canary.example"
	canaryPassword        = "canary-password-of-a-file"
)

// visited keeps the addresses that were asked for at providers, in place of whom it stands.
type visited struct {
	mu   sync.Mutex
	urls []string
}

// inFront gives the twins' settings with a proxy in front of each, which keeps what address was asked for.
func (v *visited) inFront(t *testing.T, settings [][2]string) [][2]string {
	t.Helper()
	settings = slices.Clone(settings)
	for i, setting := range settings {
		target, err := url.Parse(setting[1])
		if err != nil || !strings.HasSuffix(setting[0], "_URL") || target.Host == "" {
			continue
		}
		proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: target.Scheme, Host: target.Host})
		proxy.Transport = &http.Transport{DisableKeepAlives: true}
		listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v.mu.Lock()
			v.urls = append(v.urls, target.Host+" "+r.URL.String())
			v.mu.Unlock()
			proxy.ServeHTTP(w, r)
		}))
		t.Cleanup(listening.Close)
		settings[i][1] = listening.URL + target.Path
	}
	return settings
}

// canaryProgram is a program with a cache in Redis whose providers are behind a proxy, asked with a token that
// shows no personal data.
func canaryProgram(t *testing.T) (*program, *miniredis.Miniredis, *visited) {
	t.Helper()
	twins, err := sandbox.Start(sandbox.Options{Customers: 3, Logger: slog.New(slog.DiscardHandler), ReportDelay: time.Millisecond, WebhookStep: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := twins.Stop(); err != nil {
			t.Error(err)
		}
	})
	seen, server := &visited{}, miniredis.RunT(t)
	p := boot(t, setup{redis: "redis://" + server.Addr(), real: seen.inFront(t, twins.Settings())})
	p.sandbox = twins
	twins.SendWebhooksTo(p.address())
	if _, err := p.service.ImportCustomers(t.Context(), lending.Kredete, nil); err != nil {
		t.Fatal(lending.AsError(err).Detail())
	}
	scopes := slices.DeleteFunc(auth.Scopes(), func(s auth.Scope) bool { return s == auth.ReadPII })
	if p.token, err = p.issuer.Issue("canary", scopes, time.Hour); err != nil {
		t.Fatal(err)
	}
	return p, server, seen
}

// TestPersonalDataIsFoundNowhere plays everything that takes in personal data, well and badly, and then looks
// for it in every place that is not meant for it.
func TestPersonalDataIsFoundNowhere(t *testing.T) {
	t.Parallel()
	p, server, seen := canaryProgram(t)
	answers := p.playCanaries(t)
	if err := p.quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := canaries(p)
	for what, canary := range all {
		for _, answer := range answers {
			if strings.Contains(answer, canary) {
				t.Errorf("the %s is in an answer: %s", what, answer)
			}
		}
		if strings.Contains(p.log.String(), canary) {
			t.Errorf("the %s is in the log", what)
		}
		if strings.Contains(p.printed.String(), canary) {
			t.Errorf("the %s was printed", what)
		}
		if strings.Contains(server.Dump(), canary) {
			t.Errorf("the %s is in Redis", what)
		}
		for _, visit := range seen.urls {
			if inURL(visit, canary) && !contracted(p, visit, what) {
				t.Errorf("the %s is in an address: %s", what, visit)
			}
		}
	}
	p.searchRecords(t, all)
}

// inURL reports whether an address holds a value, escaped or not.
func inURL(visit, canary string) bool {
	plain, err := url.QueryUnescape(visit)
	return strings.Contains(visit, canary) || err == nil && strings.Contains(plain, canary)
}

// contracted are the values that a provider wants in its addresses, for there is no other way to ask it: Kredmint
// the customer's mobile number, TrustDecision this service's credentials.
func contracted(p *program, visit, what string) bool {
	of := func(name lending.Provider) bool {
		return strings.HasPrefix(visit, strings.TrimPrefix(p.sandbox.Server(name).URL(), "http://"))
	}
	credential := strings.Contains(what, "_") // the twins have one secret in common
	return of(lending.Kredmint) && what == "mobile number at Kredmint" || of(lending.TrustDecision) && credential
}

// playCanaries sends everything that takes in personal data, and gives all that was answered.
func (p *program) playCanaries(t *testing.T) []string {
	t.Helper()
	var answers []string
	say := func(operation, example string, ids map[string]string, change map[string]any) *answer {
		vars := variables(t, example, ids)
		if in, ok := vars["input"].(map[string]any); ok {
			maps.Copy(in, change)
		} else {
			maps.Copy(vars, change)
		}
		a := p.ask(t, operation, vars)
		answers = append(answers, a.text)
		return a
	}
	person, ids := p.sandbox.World.Person(0), map[string]string{"customer": p.person(t, 0)}
	say("CreateCustomer", "CreateCustomer", ids, map[string]any{
		"email": canaryEmail, "phone": canaryPhone, "identification": map[string]any{"type": "NIN", "number": canaryNIN},
	}).want(t, "createCustomer.operation.status", "SUCCEEDED")
	for _, link := range [][2]string{{"TRUST_DECISION", person.BVN}, {"KREDMINT", person.KredmintMobile}, {"ONE_PIPE", person.CustomerRef}, {"CARBON", person.CarbonID}} {
		a := say("LinkCustomer", "LinkCustomer", ids, map[string]any{"provider": link[0], "externalId": link[1]})
		a.mustBeClean(t, "linking at "+link[0])
	}
	loan := say("ApplyForLoan", "ApplyForLoan", ids, map[string]any{
		"disbursementAccount": map[string]any{"bankCode": "058", "accountNumber": canaryAccount, "accountName": "Canary"},
	})
	loan.want(t, "applyForLoan.operation.status", "SUCCEEDED")
	scored := say("RequestCreditScore", "RequestCreditScore (OnePipe)", ids, map[string]any{
		"authorization": map[string]any{"bankAccount": map[string]any{"accountNumber": canaryAccount, "bankCode": "058"}},
	})
	ids["operation"] = scored.textAt("requestCreditScore.operation.id")
	say("ConfirmCreditScore", "ConfirmCreditScore", ids, map[string]any{"otp": canaryOTP}).want(t, "confirmCreditScore.operation.status", "AWAITING_OTP")
	say("ConfirmCreditScore", "ConfirmCreditScore", ids, nil).want(t, "confirmCreditScore.operation.status", "SUCCEEDED")
	say("OrderCreditReport", "OrderCreditReport", ids, nil).want(t, "orderCreditReport.operation.status", "AWAITING_PROVIDER")
	supplier := say("CreateSupplier", "CreateSupplier", ids, map[string]any{
		"mobile": canaryMobile, "email": canarySupplierEmail, "taxId": "29" + canaryPAN + "1Z5", "bankAccount": map[string]any{
			"accountHolderName": "Canary", "accountNumber": canarySupplierAccount, "ifsc": "ICIC00000012", "bankName": "ICICI", "branchName": "Okhala",
		},
	})
	supplier.want(t, "createSupplier.operation.status", "SUCCEEDED")
	ids["supplier"] = supplier.textAt("createSupplier.supplier.id")
	say("PayInvoice", "PayInvoice", ids, nil).want(t, "payInvoice.operation.status", "SUCCEEDED")
	vars := variables(t, "UploadDocument (financial data)", ids)
	input(vars)["password"] = canaryPassword
	answers = append(answers, p.upload(t, "UploadDocument", vars, "statement.pdf", []byte("%PDF-1.4\n%%EOF\n")).text)
	eventually(t, "the report is there", func() bool {
		return strings.Contains(p.ask(t, "CustomerProfile", map[string]any{"id": ids["customer"]}).text, `"READY"`)
	})
	for _, read := range []string{"CustomerProfile", "CustomerCreditSummary"} {
		answers = append(answers, p.ask(t, read, map[string]any{"id": ids["customer"]}).text)
	}
	for _, list := range []string{"CustomersTable", "Operations", "EventLog"} {
		answers = append(answers, p.ask(t, list, map[string]any{"first": 50}).text)
	}
	return append(answers, p.playBadCanaries(t, ids)...)
}

// playBadCanaries sends personal values where they are refused, and while providers fail.
func (p *program) playBadCanaries(t *testing.T, ids map[string]string) []string {
	t.Helper()
	var answers []string
	bad := func(operation, example string, change map[string]any) {
		vars := variables(t, example, ids)
		maps.Copy(input(vars), change)
		input(vars)["idempotencyKey"] = "bad-" + operation
		a := p.ask(t, operation, vars)
		if len(a.Errors) == 0 && !strings.Contains(a.text, `"field":[`) {
			t.Errorf("%s was not refused: %s", operation, a.text)
		}
		answers = append(answers, a.text)
	}
	account := func(number string) map[string]any {
		return map[string]any{"bankAccount": map[string]any{"accountNumber": number, "bankCode": "058"}}
	}
	bad("CreateCustomer", "CreateCustomer", map[string]any{"email": canaryEmail + " " + canaryNIN, "phone": canaryPhone})
	bad("CreateCustomer", "CreateCustomer", map[string]any{"phone": canaryPhone + canaryAccount})
	bad("CreateCustomer", "CreateCustomer", map[string]any{"identification": map[string]any{"type": "NIN", "number": canaryNIN + "x"}})
	bad("RequestCreditScore", "RequestCreditScore (OnePipe)", map[string]any{"authorization": account(canaryAccount + "x")})
	input := map[string]any{"input": map[string]any{"operationId": ids["operation"], "otp": canaryOTP + "x"}}
	answers = append(answers, p.ask(t, "ConfirmCreditScore", input).text)
	for _, search := range []string{canaryPhone, canaryEmail} {
		answers = append(answers, p.ask(t, "CustomersTable", map[string]any{"first": 5, "after": search}).text)
	}
	for _, name := range lending.Providers() {
		p.fault(t, name, map[string]any{"kind": "status", "status": 500})
	}
	bad("CreateCustomer", "CreateCustomer", map[string]any{"email": canaryEmail, "phone": canaryPhone})
	bad("RequestCreditScore", "RequestCreditScore (OnePipe)", map[string]any{"authorization": account(canaryAccount)})
	bad("CreateSupplier", "CreateSupplier", map[string]any{"mobile": canaryMobile, "taxId": "29" + canaryPAN + "1Z5"})
	for _, name := range lending.Providers() {
		p.heal(t, name)
	}
	return answers
}

// inTheClear are the columns that hold personal values as they are, because customers are searched for by them.
func inTheClear() []string { return []string{"customers.email", "customers.phone", "customers.search"} }

// searchRecords looks into every column of every table, and into the files as they are.
func (p *program) searchRecords(t *testing.T, canaries map[string]string) {
	t.Helper()
	db, err := openDirectly(string(p.settings.DatabaseURL))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	found := map[string]bool{}
	for column, text := range cells(t, db) {
		for what, canary := range canaries {
			if !strings.Contains(strings.ToLower(text), strings.ToLower(canary)) {
				continue
			}
			if found[column] = true; !slices.Contains(inTheClear(), column) {
				t.Errorf("the %s is in %s", what, column)
			}
		}
	}
	for _, column := range inTheClear() {
		if !found[column] {
			t.Errorf("%s holds no canary, and is said to hold them in the clear", column)
		}
	}
	files, err := filepath.Glob(strings.TrimPrefix(string(p.settings.DatabaseURL), "sqlite:") + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for what, canary := range canaries {
			if what != "phone number" && what != "e-mail address" && bytes.Contains(content, []byte(canary)) {
				t.Errorf("the %s can be read in the file", what)
			}
		}
	}
}

// cells are all that a database holds, by table and column.
func cells(t *testing.T, db *sql.DB) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, table := range rowsOf(t, db, "SELECT name FROM sqlite_master WHERE type = 'table'") {
		name := fmt.Sprint(table["name"])
		for _, row := range rowsOf(t, db, fmt.Sprintf("SELECT * FROM %q", name)) {
			for column, value := range row {
				if raw, ok := value.([]byte); ok {
					value = string(raw)
				}
				all[name+"."+column] += fmt.Sprintln(value)
			}
		}
	}
	return all
}

func rowsOf(t *testing.T, db *sql.DB, query string) []map[string]any {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := map[string]any{}
		for i, column := range columns {
			row[column] = values[i]
		}
		list = append(list, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}
