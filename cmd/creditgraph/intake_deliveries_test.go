//go:build unix

package main

import (
	"crypto/hmac"
	"crypto/sha1" // the bureau's own choice of hash
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/datakey"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/store"
)

// stormDelivery is one webhook, in its bytes.
type stormDelivery struct {
	provider lending.Provider
	mark     string // what its event is known by
	body     []byte
	sign     func(r *http.Request)
	answer   string // what acknowledges it
	makes    map[string]bool
}

// stormReports is how many reports are ordered before a storm, whose pushes are part of it.
const stormReports = 12

// stormMaker makes deliveries, with the secrets of a bench's twins.
type stormMaker struct {
	t      *testing.T
	bench  *crashBench
	secret map[string]string
	stamp  *atomic.Int64
	made   []stormDelivery
}

// stormDeliveries are different webhooks, a third of each provider. Two in five of Kredete's and Kredmint's
// are about customers who are known, and their loans; the others about nobody.
func stormDeliveries(t *testing.T, b *crashBench, p *crashProcess, count int) []stormDelivery {
	t.Helper()
	m := &stormMaker{t: t, bench: b, secret: map[string]string{}, stamp: &atomic.Int64{}}
	for _, setting := range b.twins.Settings() {
		m.secret[setting[0]] = setting[1]
	}
	m.orders(p)
	for n := 0; len(m.made) < count; n++ {
		m.loan(n, n%5 < 2)
		m.invoice(n, n%5 < 2)
		for range 5 {
			m.push()
		}
	}
	return m.made
}

func (m *stormMaker) add(provider lending.Provider, mark, answer string, body any, sign func(r *http.Request, body []byte), makes ...string) {
	encoded, ok := body.([]byte)
	if !ok {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			m.t.Fatal(err)
		}
	}
	d := stormDelivery{
		provider: provider, mark: mark, answer: answer, body: encoded, makes: map[string]bool{},
		sign: func(r *http.Request) { sign(r, encoded) },
	}
	for _, what := range makes {
		d.makes[what] = true
	}
	m.made = append(m.made, d)
}

// loan tells all that Kredete tells of a loan: five webhooks, two of them of one payment, or five of somebody
// unknown, one of them of a type that nobody knows.
func (m *stormMaker) loan(n int, known bool) {
	customer, words := fmt.Sprintf("cust_nobody%05d", n), []string{"loan.created", "loan.approved", "loan.restructured", "payment.received", "customer.kyc_verified"}
	if known {
		customer = m.bench.twins.World.Person(n % m.bench.twins.World.Size()).KredeteID
		words = []string{"loan.created", "loan.approved", "loan.disbursed", "loan.repayment", "payment.received"}
	}
	for i, word := range words {
		id := fmt.Sprintf("evt_storm%05d%d", n, i)
		data := map[string]any{"loan_id": fmt.Sprintf("loan_storm%05d", n), "customer_id": customer, "amount": 500000, "currency": "NGN"}
		var makes []string
		switch word {
		case "loan.created":
			if known {
				makes = []string{"loans of Kredete's repaid in part"}
			}
		case "loan.repayment", "payment.received":
			data["payment_id"], data["payment_reference"], data["amount"] = fmt.Sprintf("pmt_storm%05d", n), fmt.Sprintf("TRX-%05d", n), 1000
			if known && word == "payment.received" {
				makes = []string{"payments"}
			}
		}
		m.add(lending.Kredete, id, `{"received":true}`, map[string]any{
			"id": id, "type": word, "created_at": time.Now().UTC(), "data": data,
		}, func(r *http.Request, body []byte) {
			mac := hmac.New(sha256.New, []byte(m.secret["KREDETE_WEBHOOK_SECRET"]))
			mac.Write(body)
			r.Header.Set("X-Kredete-Signature", hex.EncodeToString(mac.Sum(nil)))
		}, makes...)
	}
}

// invoice tells all that Kredmint tells of an invoice: five webhooks, the last of an invoice of somebody
// unknown of a type that nobody knows.
func (m *stormMaker) invoice(n int, known bool) {
	id, username := fmt.Sprintf("IN-%05d", n), fmt.Sprintf("70000%05d", n)
	if known {
		username = m.bench.twins.World.Person(crashKnown).KredmintMobile
	}
	for _, status := range []string{"Initiated", "Verified", "Approved", "Paid", "Completed"} {
		word, mark := "INVOICE", id+" "+status
		var makes []string
		switch {
		case status == "Completed" && known:
			makes = []string{"invoices of Kredmint's that are paid"}
		case status == "Completed":
			word = "STORM" + strconv.Itoa(n)
			mark = word
		}
		m.add(lending.Kredmint, mark, "{}", map[string]any{
			"type": word, "timestamp": time.Now().UnixMilli(), "payload": map[string]any{
				"id": id, "username": username, "invoiceNumber": "S-" + strconv.Itoa(n), "amount": 1000.5, "status": status,
			},
		}, func(r *http.Request, _ []byte) {
			r.Header.Set("Authorization", m.secret["KREDMINT_WEBHOOK_AUTHORIZATION"])
		}, makes...)
	}
}

// push is the bureau's answer to nothing that we know, with a result that nobody knows.
func (m *stormMaker) push() {
	mark := fmt.Sprintf("seq%06d", len(m.made))
	m.bureau(mark, map[string]any{"code": 200, "message": "success", "result": "postponed", "sequence_id": mark})
}

func (m *stormMaker) bureau(mark string, body any, makes ...string) {
	m.add(lending.TrustDecision, mark, `{"code":200,"message":""}`, body, func(r *http.Request, _ []byte) {
		stamp := strconv.FormatInt(m.millisecond(), 10)
		partner, access := m.secret["TRUSTDECISION_PARTNER_CODE"], m.secret["TRUSTDECISION_ACCESS_KEY"]
		mac := hmac.New(sha1.New, []byte(m.secret["TRUSTDECISION_ACCESS_SECRET"]))
		mac.Write([]byte(partner + stamp + access))
		query := r.URL.Query()
		query.Set("partner_code", partner)
		query.Set("timestamp", stamp)
		query.Set("access_key", access)
		query.Set("sign", hex.EncodeToString(mac.Sum(nil)))
		r.URL.RawQuery = query.Encode()
	}, makes...)
}

// millisecond is one that no push was signed in: a signature may come with one body only.
func (m *stormMaker) millisecond() int64 {
	for {
		last := m.stamp.Load()
		next := max(last+1, time.Now().UnixMilli())
		if m.stamp.CompareAndSwap(last, next) {
			return next
		}
	}
}

// orders orders reports, catches what the twin pushes for them, and adds it.
func (m *stormMaker) orders(p *crashProcess) {
	t, pushes := m.t, make(chan []byte, stormReports)
	t.Helper()
	catcher := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		pushes <- body
		fmt.Fprint(w, `{"code":200,"message":""}`)
	}))
	defer catcher.Close()
	m.bench.twins.SendWebhooksTo(catcher.URL)
	people := m.linkAtBureau()
	order := crashMutation{field: "orderCreditReport", input: "OrderCreditReportInput"}
	for _, i := range people {
		got, err := p.act(t.Context(), order, map[string]any{
			"idempotencyKey": m.bench.key(), "customerId": m.bench.customers[i], "provider": "TRUST_DECISION",
			"consent": map[string]any{"grantedAt": time.Now().UTC().Format(time.RFC3339), "channel": "APP"},
		})
		if err != nil || got.status() != string(lending.OpAwaitingProvider) {
			t.Fatalf("an order was answered with %+v, %v", got, err)
		}
	}
	for range people {
		select {
		case body := <-pushes:
			var told struct {
				SequenceID string `json:"sequence_id"`
			}
			if err := json.Unmarshal(body, &told); err != nil {
				t.Fatal(err)
			}
			m.bureau(told.SequenceID, body, "reports", "orders of reports")
		case <-time.After(crashPatience):
			t.Fatal("the bureau does not push")
		}
	}
}

// linkAtBureau links customers with their BVNs, and gives their numbers.
func (m *stormMaker) linkAtBureau() (people []int) {
	t := m.t
	t.Helper()
	k, err := datakey.Derive(crashDataKey)
	if err != nil {
		t.Fatal(err)
	}
	records, err := store.Open(t.Context(), store.Config{URL: m.bench.database, DataKey: k.Records})
	if err != nil {
		t.Fatal(err)
	}
	defer records.Close()
	for i := range m.bench.twins.World.Size() {
		person := m.bench.twins.World.Person(i)
		if person.BVN == "" || !strings.HasPrefix(person.Phone, "+234") || len(people) == stormReports {
			continue
		}
		customer, err := records.CustomerByIdentity(t.Context(), lending.Kredete, person.KredeteID)
		if err != nil {
			t.Fatal(err)
		}
		err = records.Link(t.Context(), lending.Identity{CustomerID: customer, Provider: lending.TrustDecision, ExternalID: person.BVN, LinkedAt: time.Now()})
		if err != nil {
			t.Fatal(lending.AsError(err).Detail())
		}
		people = append(people, i)
	}
	return people
}
