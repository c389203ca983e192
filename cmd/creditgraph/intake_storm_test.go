//go:build unix

package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
)

const (
	// stormVariable names how many different webhooks the large storm has. It runs on a PostgreSQL of its own,
	// which it restarts; without the variable only the small one runs, on SQLite.
	stormVariable = "CREDITGRAPH_STORM_DELIVERIES"
	stormSmall    = 300
	stormSenders  = 24
	// stormMost is how often a webhook is sent at most, and stormPatience bounds what is waited for in a storm.
	stormMost     = 20
	stormPatience = 3 * time.Minute
)

// TestNoWebhookIsLostInAStorm sends many webhooks of all three providers, each up to twenty times, at once and
// in random order, while the program is killed and its database restarted. A sender repeats what was not
// acknowledged. In the end each is an event exactly once, and what they tell is the state.
func TestNoWebhookIsLostInAStorm(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		// The build with failpoints takes up sooner what a dead process was at.
		b := newCrashBench(t, crashProgram(t, "-tags", "failpoints"), "sqlite:"+filepath.Join(t.TempDir(), "records.db"))
		newStorm(t, b, stormSmall).rage(t, []func(){nil, nil})
	})
	count, err := strconv.Atoi(os.Getenv(stormVariable))
	if err != nil && os.Getenv(stormVariable) != "" || count < 0 {
		t.Fatalf("%s is no number of webhooks: %s", stormVariable, os.Getenv(stormVariable))
	}
	if count == 0 {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		server := newStormPostgres(t)
		restart := func() { server.restart(t) }
		newStorm(t, newCrashBench(t, crashProgram(t), server.address), count).rage(t, []func(){nil, restart, nil, nil, restart, nil, restart, nil})
	})
}

// storm is webhooks that are sent to one process after another.
type storm struct {
	bench      *crashBench
	client     *http.Client
	deliveries []stormDelivery
	copies     chan int // which delivery is to be sent, an entry for each copy that is not acknowledged yet
	left       atomic.Int64
	// up is held by who sends, and by who starts the next process: nobody sends to none.
	up      sync.RWMutex
	process *crashProcess

	refused, cut atomic.Int64
}

func newStorm(t *testing.T, b *crashBench, count int) *storm {
	t.Helper()
	s := &storm{bench: b, client: &http.Client{Timeout: crashPatience, Transport: &http.Transport{MaxIdleConnsPerHost: stormSenders}}}
	t.Cleanup(s.client.CloseIdleConnections)
	s.process = b.start(t, "")
	s.deliveries = stormDeliveries(t, b, s.process, count)
	var copies []int
	for i := range s.deliveries {
		times := min(1+int(rand.ExpFloat64()*2), stormMost)
		if i%1000 == 0 {
			times = stormMost
		}
		for range times {
			copies = append(copies, i)
		}
	}
	rand.Shuffle(len(copies), func(i, j int) { copies[i], copies[j] = copies[j], copies[i] })
	s.copies = make(chan int, len(copies))
	for _, i := range copies {
		s.copies <- i
	}
	s.left.Store(int64(len(copies)))
	return s
}

// rage sends everything. At even distances it lets happen what is given; nil is that the program is killed.
// It is killed once more when all is acknowledged, whatever is not applied by then.
func (s *storm) rage(t *testing.T, happening []func()) {
	t.Helper()
	began, all := time.Now(), s.left.Load()
	var senders sync.WaitGroup
	for range stormSenders {
		senders.Go(func() { s.send(t) })
	}
	for i, happen := range happening {
		crashEventually(t, stormPatience, "the storm goes on", func() bool {
			return s.left.Load() <= all-all*int64(i+1)/int64(len(happening)+1)
		})
		if happen == nil {
			happen = func() { s.kill(t) }
		}
		happen()
	}
	crashEventually(t, stormPatience, "all is acknowledged", func() bool { return s.left.Load() == 0 })
	senders.Wait()
	acknowledged := time.Since(began)
	s.kill(t)
	s.isRight(t)
	t.Logf("%d webhooks, sent %d times: acknowledged in %s, applied after %s; %d times answered 503, %d times cut off",
		len(s.deliveries), all, acknowledged.Round(time.Millisecond), time.Since(began).Round(time.Millisecond), s.refused.Load(), s.cut.Load())
}

// kill kills the program, whatever it is at, and starts it again.
func (s *storm) kill(t *testing.T) {
	t.Helper()
	s.process.kill()
	s.up.Lock()
	defer s.up.Unlock()
	s.process = s.bench.start(t, "")
}

// send sends copies until none is left. What is not acknowledged goes to the end of the queue.
func (s *storm) send(t *testing.T) {
	for i := range s.copies {
		status, body, err := s.post(t.Context(), &s.deliveries[i])
		switch {
		case err == nil && status == http.StatusOK:
			if want := s.deliveries[i].answer; body != want {
				t.Errorf("%s: answered %q, want %q", s.deliveries[i].mark, body, want)
			}
			if s.left.Add(-1) == 0 {
				close(s.copies)
			}
			continue
		case t.Context().Err() != nil:
			return
		case err != nil:
			s.cut.Add(1)
		case status == http.StatusServiceUnavailable:
			s.refused.Add(1)
		default:
			t.Errorf("%s: answered %d %q", s.deliveries[i].mark, status, body)
		}
		s.copies <- i
	}
}

func (s *storm) post(ctx context.Context, d *stormDelivery) (status int, body string, err error) {
	s.up.RLock()
	defer s.up.RUnlock()
	address := s.process.address + "/webhooks/" + d.provider.Slug()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(d.body))
	if err != nil {
		return 0, "", err
	}
	request.GetBody = nil // a copy is sent once
	d.sign(request)
	response, err := s.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	told, err := io.ReadAll(response.Body)
	return response.StatusCode, string(told), err
}

// isRight waits until nothing is left to apply, and compares the records with what was sent.
func (s *storm) isRight(t *testing.T) {
	t.Helper()
	records, err := openDirectly(s.bench.database)
	if err != nil {
		t.Fatal(err)
	}
	defer records.Close()
	count := func(query string) (n int) {
		if err := records.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	crashEventually(t, stormPatience, "all is applied", func() bool {
		return count("SELECT COUNT(*) FROM webhook_inbox WHERE state = 'RECEIVED'") == 0
	})
	// HELD is what is about nobody whom we know.
	if n := count("SELECT COUNT(*) FROM webhook_inbox WHERE state NOT IN ('APPLIED', 'HELD')"); n != 0 {
		t.Errorf("%d webhooks were set aside", n)
	}
	seen := stormEvents(t, records)
	lost, twice := 0, 0
	for _, d := range s.deliveries {
		switch n := seen[d.mark]; {
		case n == 0:
			lost++
		case n > 1:
			twice++
		}
		delete(seen, d.mark)
	}
	if lost > 0 || twice > 0 || len(seen) > 0 {
		t.Errorf("acknowledged and lost: %d, applied twice: %d, nobody's: %d", lost, twice, len(seen))
	}
	if n := count("SELECT COUNT(*) - COUNT(DISTINCT sequence) + MAX(sequence) - COUNT(*) FROM events"); n != 0 {
		t.Errorf("the log has %d holes", n)
	}
	s.statesAreRight(t, records)
}

// stormEvents counts the events that webhooks made, by their marks.
func stormEvents(t *testing.T, records *sql.DB) map[string]int {
	t.Helper()
	rows, err := records.QueryContext(t.Context(), "SELECT provider, provider_type, payload FROM events WHERE source = 'WEBHOOK'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := map[string]int{}
	for rows.Next() {
		var name lending.Provider
		var word, payload string
		var told struct{ EventID, SequenceID, ID, Status string }
		if err := rows.Scan(&name, &word, &payload); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(payload), &told); err != nil {
			t.Fatal(err)
		}
		switch {
		case name == lending.Kredete:
			seen[told.EventID]++
		case name == lending.TrustDecision:
			seen[told.SequenceID]++
		case told.ID != "":
			seen[told.ID+" "+told.Status]++
		default:
			seen[word]++
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return seen
}

// statesAreRight looks at the loans and reports of customers who are known.
func (s *storm) statesAreRight(t *testing.T, records *sql.DB) {
	t.Helper()
	for what, query := range map[string]string{
		"loans of Kredete's repaid in part":    "SELECT COUNT(*) FROM loans WHERE provider = 'KREDETE' AND external_id LIKE 'loan_storm%' AND status = 'ACTIVE' AND paid_minor = 100000 AND NOT conflict",
		"payments":                             "SELECT COUNT(*) FROM payments WHERE external_id LIKE 'pmt_storm%' AND status = 'COMPLETED'",
		"invoices of Kredmint's that are paid": "SELECT COUNT(*) FROM loans WHERE provider = 'KREDMINT' AND status = 'DISBURSED' AND provider_status = 'Completed' AND NOT conflict",
		"reports":                              "SELECT COUNT(*) FROM credit_reports WHERE status IN ('READY', 'NO_RECORD')",
		"orders of reports":                    "SELECT COUNT(*) FROM operations WHERE status = 'SUCCEEDED'",
	} {
		var got, want int
		if err := records.QueryRowContext(t.Context(), query).Scan(&got); err != nil {
			t.Fatal(what, err)
		}
		for _, d := range s.deliveries {
			if d.makes[what] {
				want++
			}
		}
		if got != want || want == 0 {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
}
