//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/creditgraph/creditgraph/internal/datakey"
	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/store"
)

// replicaFollowers is how many follow while replicas die.
const replicaFollowers = 200

// TestReplicas runs two processes on one database, and has subscribers follow the events of both.
func TestReplicas(t *testing.T) {
	t.Parallel()
	program := crashProgram(t)
	for engine, database := range crashDatabases() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			t.Run("an event reaches the subscribers of the other replica", func(t *testing.T) {
				server := miniredis.RunT(t)
				fleet := startFleet(t, newCrashBench(t, program, database(t), "REDIS_URL=redis://"+server.Addr()))
				fleet.reaches(t, 500*time.Millisecond)
				server.Close()
				fleet.reaches(t, 2*time.Second)
			})
			t.Run("a replica dies under its subscribers", func(t *testing.T) {
				address := os.Getenv("CREDITGRAPH_TEST_REDIS")
				if address == "" {
					address = "redis://" + miniredis.RunT(t).Addr()
				}
				startFleet(t, newCrashBench(t, program, database(t), "REDIS_URL="+address)).dieUnderSubscribers(t)
			})
		})
	}
}

// replicaFleet is two processes on one database.
type replicaFleet struct {
	bench   *crashBench
	records *store.Store
	secret  string
	told    int // webhooks that were sent

	mu        sync.Mutex
	processes []*crashProcess
}

func startFleet(t *testing.T, b *crashBench) *replicaFleet {
	t.Helper()
	return &replicaFleet{
		bench: b, processes: []*crashProcess{b.start(t, ""), b.start(t, "")}, records: openRecords(t, b), secret: secretOf(b, "KREDETE_WEBHOOK_SECRET"),
	}
}

// secretOf is a setting of a bench's twins.
func secretOf(b *crashBench, name string) string {
	for _, setting := range b.twins.Settings() {
		if setting[0] == name {
			return setting[1]
		}
	}
	panic("the twins have no setting " + name)
}

// openRecords opens a bench's database beside its processes.
func openRecords(t testing.TB, b *crashBench) *store.Store {
	t.Helper()
	k, err := datakey.Derive(crashDataKey)
	if err != nil {
		t.Fatal(err)
	}
	records, err := store.Open(t.Context(), store.Config{URL: b.database, DataKey: k.Records})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := records.Close(); err != nil {
			t.Error(err)
		}
	})
	return records
}

// replica is one of the two, as it runs now.
func (f *replicaFleet) replica(n int) *crashProcess {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.processes[n]
}

// happen has the provider tell one replica of something that nobody knows, which becomes an event.
func (f *replicaFleet) happen(t *testing.T, at *crashProcess) {
	t.Helper()
	f.told++
	if err := f.tell(t.Context(), at, f.told); err != nil {
		t.Fatal(err)
	}
}

// tell sends the webhook of a number.
func (f *replicaFleet) tell(ctx context.Context, at *crashProcess, n int) error {
	body := fmt.Appendf(nil, `{"id":"evt_replica%06d","type":"replica.test","created_at":%q,"data":{}}`, n, time.Now().UTC().Format(time.RFC3339))
	mac := hmac.New(sha256.New, []byte(f.secret))
	mac.Write(body)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at.address+"/webhooks/kredete", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("X-Kredete-Signature", hex.EncodeToString(mac.Sum(nil)))
	response, err := at.client.Do(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body) // to its end, so that the connection is used again
	if response.StatusCode != http.StatusOK {
		err = fmt.Errorf("a webhook was answered %s", response.Status)
	}
	return errors.Join(err, response.Body.Close())
}

// end is the cursor of the newest event.
func (f *replicaFleet) end(t *testing.T) (sequence int64, cursor string) {
	t.Helper()
	last, err := f.records.LastSequence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return last, f.records.EventCursor(last)
}

// reaches measures how long a webhook at one replica takes to a subscriber at the other. On a busy machine some
// take longer than they should; most have to be in time.
func (f *replicaFleet) reaches(t *testing.T, limit time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, cursor := f.end(t)
	follower := &replicaFollower{token: f.bench.token, cursor: cursor, grown: make(chan struct{}, 1)}
	go follower.run(ctx, func() *crashProcess { return f.replica(1) })
	const tries = 10
	took := make([]time.Duration, tries)
	for i := range took {
		began := time.Now()
		f.happen(t, f.replica(0))
		follower.await(t, i+1)
		if took[i] = time.Since(began); i == 0 {
			took[i] = 0 // it may have connected only now
		}
	}
	slices.Sort(took)
	t.Logf("a webhook took %v to the other replica, at most %v", took[tries/2].Round(time.Millisecond), took[tries-1].Round(time.Millisecond))
	if took[tries*7/10] > limit {
		t.Errorf("a webhook takes %v to the other replica, want at most %v", took, limit)
	}
}

// dieUnderSubscribers kills one replica after the other. Whoever followed it comes back, with the last cursor, to
// whichever there is.
func (f *replicaFleet) dieUnderSubscribers(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first, cursor := f.end(t)
	followers := make([]*replicaFollower, replicaFollowers)
	var running sync.WaitGroup
	for i := range followers {
		follower := &replicaFollower{token: f.bench.token, cursor: cursor, grown: make(chan struct{}, 1)}
		followers[i] = follower
		running.Go(func() { follower.run(ctx, func() *crashProcess { return f.replica(rand.IntN(2)) }) })
	}
	rounds := crashRounds(t)
	for round := range rounds {
		dying := round % 2
		for range 5 {
			f.happen(t, f.replica(0))
			f.happen(t, f.replica(1))
		}
		followers[round%len(followers)].await(t, 1) // somebody follows
		f.replica(dying).kill()
		for range 5 {
			f.happen(t, f.replica(1-dying))
		}
		again := f.bench.start(t, "")
		f.mu.Lock()
		f.processes[dying] = again
		f.mu.Unlock()
		f.happen(t, again)
	}
	want := f.log(t, first, rounds*16)
	for i, follower := range followers {
		follower.await(t, len(want))
		if got := follower.ids(); !slices.Equal(got, want) {
			t.Errorf("subscriber %d saw %d events, %d different ones, of %d", i, len(got), len(slices.Compact(slices.Sorted(slices.Values(got)))), len(want))
		}
	}
	cancel()
	running.Wait()
	t.Logf("%d kills under %d subscribers, %d events: missed 0, seen twice 0", rounds, replicaFollowers, len(want))
}

// log is the ids of the events behind a place, once there are so many.
func (f *replicaFleet) log(t *testing.T, after int64, count int) []string {
	t.Helper()
	var ids []string
	eventually(t, "all that was told is an event", func() bool {
		events, err := f.records.EventsAfter(t.Context(), after, count+1)
		if err != nil {
			t.Fatal(err)
		}
		ids = nil
		for _, e := range events {
			ids = append(ids, lending.GlobalID(lending.EventNode, e.ID))
		}
		return len(ids) >= count
	})
	return ids
}
