package kredete

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
	"github.com/creditgraph/creditgraph/internal/restclient"
)

func seeds(f *testing.F) {
	f.Helper()
	names, err := filepath.Glob("testdata/*.json")
	if err != nil || len(names) == 0 {
		f.Fatalf("no testdata: %v", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"data":{"customers":[{"id":"a"}],"total":"9"},"meta":[]}`))
	f.Add([]byte(`{"type":"loan.repayment","data":{"loan":{"id":1},"payment":[{"id":"pmt_1","amount":"1,000.50"}]}}`))
}

func fuzzClient(f *testing.F) *client {
	f.Helper()
	c, err := newClient(Config{BaseURL: "https://kredete.test/v2", ClientID: "c", ClientSecret: "s", WebhookSecret: "w"}, Deps{})
	if err != nil {
		f.Fatal(err)
	}
	return c
}

// Whatever is sent, an event is read or refused; a loan is never told without its id, and a payment
// never without an amount over zero.
func FuzzTranslate(f *testing.F) {
	seeds(f)
	c := fuzzClient(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		notice, err := c.Translate(body)
		if err != nil {
			if e := lending.AsError(err); e.Kind != lending.KindUpstreamProtocol {
				t.Fatalf("kind %s", e.Kind)
			}
			return
		}
		if notice.Loan != nil && (notice.Loan.Loan.ExternalID == "" || !notice.Loan.Loan.Status.Valid()) {
			t.Fatalf("loan = %+v", notice.Loan.Loan)
		}
		if notice.Payment != nil && notice.Payment.Payment.Amount.Sign() <= 0 {
			t.Fatalf("payment = %+v", notice.Payment.Payment)
		}
	})
}

// Whatever an answer is, reading it neither panics nor invents an amount.
func FuzzAnswers(f *testing.F) {
	seeds(f)
	c := fuzzClient(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		if b, err := entity[loanBody](body, "loan"); err == nil {
			if result, err := c.loan(b, lending.NGN); err == nil && result.Loan.Principal.Sign() < 0 {
				t.Fatalf("principal = %v", result.Loan.Principal)
			}
		}
		if b, err := entity[paymentBody](body, "payment"); err == nil {
			if p, err := c.payment(b, lending.NGN); err == nil && p.Amount.Sign() < 0 {
				t.Fatalf("amount = %v", p.Amount)
			}
		}
		if b, err := entity[scoreBody](body, "score"); err == nil {
			if s, err := c.score(b, lending.NGN); err == nil && s.Band == "" {
				t.Fatal("a score without a band")
			}
		}
		if b, err := entity[customerBody](body, "customer"); err == nil {
			c.profile(b)
		}
		if list, err := readList(body); err == nil {
			c.profilePage(list, provider.ProfileQuery{Page: 1, Limit: 20})
		}
		if _, err := c.decided(body, "loan_1"); err != nil && strings.Contains(err.Error(), "invalid character") {
			t.Fatalf("the error quotes the answer: %v", err)
		}
	})
}

// personal is what an account's or a person's number looks like, at the least.
var personal = regexp.MustCompile(`[0-9]{6}`)

// Whatever a refusal says, what is made of it is of a known kind and short.
func FuzzFailure(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		q := call{class: provider.Write, fields: loanFields}
		e := failure(q, &restclient.Response{Status: http.StatusBadRequest, Header: http.Header{}, Body: body}, time.Unix(0, 0))
		if !e.Kind.Valid() || !e.Outcome.Valid() || len(e.ProviderCode) > 40 {
			t.Fatalf("error = %+v", e)
		}
		for _, p := range e.Problems {
			if len(p.Message) > 200 || personal.MatchString(p.Message) {
				t.Fatalf("problem = %+v", p)
			}
		}
	})
}
