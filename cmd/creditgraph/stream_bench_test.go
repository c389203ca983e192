//go:build linux

package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// The figures of docs/performance.md on events; `make bench-events` runs them. The subscribers are sockets
// without a library, so that what is measured is the server.

const (
	idleSubscribers   = 5000
	activeSubscribers = 1000
)

// rawSubscriber is a websocket as bytes.
type rawSubscriber struct {
	conn net.Conn
	in   *bufio.Reader
}

// subscribe opens a websocket and follows all events.
func subscribeRaw(b *testing.B, address, token string) *rawSubscriber {
	b.Helper()
	host := strings.TrimPrefix(address, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() }) // the server may have closed it
	s := &rawSubscriber{conn: conn, in: bufio.NewReaderSize(conn, 1024)}
	fmt.Fprintf(conn, "GET /graphql HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", host)
	response, err := http.ReadResponse(s.in, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		b.Fatal(response, err)
	}
	s.send(b, 1, fmt.Sprintf(`{"type":"connection_init","payload":{"Authorization":"Bearer %s"}}`, token))
	if text, err := s.read(); err != nil || !strings.Contains(text, "connection_ack") {
		b.Fatal(text, err)
	}
	s.send(b, 1, `{"id":"1","type":"subscribe","payload":{"query":"subscription { events { cursor event { id type provider occurredAt } } }"}}`)
	s.send(b, 1, `{"type":"ping"}`)
	if text, err := s.read(); err != nil || !strings.Contains(text, "pong") {
		b.Fatal(text, err)
	}
	return s
}

// send writes one frame, masked with zeros.
func (s *rawSubscriber) send(b *testing.B, opcode byte, text string) {
	b.Helper()
	if err := s.write(opcode, []byte(text)); err != nil {
		b.Fatal(err)
	}
}

func (s *rawSubscriber) write(opcode byte, text []byte) error {
	frame := []byte{0x80 | opcode}
	if len(text) < 126 {
		frame = append(frame, 0x80|byte(len(text)))
	} else {
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(len(text)))
	}
	_, err := s.conn.Write(append(append(frame, 0, 0, 0, 0), text...))
	return err
}

// read gives the next text, and answers pings on the way.
func (s *rawSubscriber) read() (string, error) {
	for {
		head := make([]byte, 2)
		if _, err := io.ReadFull(s.in, head); err != nil {
			return "", err
		}
		length := int(head[1] & 0x7f)
		if length == 126 {
			var wide [2]byte
			if _, err := io.ReadFull(s.in, wide[:]); err != nil {
				return "", err
			}
			length = int(binary.BigEndian.Uint16(wide[:]))
		}
		text := make([]byte, length)
		if _, err := io.ReadFull(s.in, text); err != nil {
			return "", err
		}
		switch head[0] & 0x0f {
		case 1:
			return string(text), nil
		case 8:
			return "", fmt.Errorf("closed: %s", text[2:])
		case 9:
			if err := s.write(10, text); err != nil {
				return "", err
			}
		}
	}
}

// resident is a process's memory that is in use, in bytes.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	fields := strings.Fields(readProc(b, pid, "statm"))
	pages, err := strconv.Atoi(fields[1])
	if err != nil {
		b.Fatal(err)
	}
	return float64(pages * os.Getpagesize())
}

// spent is the CPU time of a process so far.
func spent(b *testing.B, pid int) time.Duration {
	b.Helper()
	_, rest, _ := strings.Cut(readProc(b, pid, "stat"), ") ")
	fields := strings.Fields(rest)
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func readProc(b *testing.B, pid int, name string) string {
	b.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), name))
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

// idle reads on, so that pings are answered, until the connection ends.
func (s *rawSubscriber) idle() {
	for {
		if _, err := s.read(); err != nil {
			return
		}
	}
}

// BenchmarkIdleSubscribers is what a subscriber costs who waits.
func BenchmarkIdleSubscribers(b *testing.B) {
	for b.Loop() {
		bench := newCrashBench(b, crashProgram(b), "sqlite:"+filepath.Join(b.TempDir(), "records.db"))
		p := bench.start(b, "")
		go subscribeRaw(b, p.address, bench.token).idle() // what the first costs is nobody's else
		pid := p.command.Process.Pid
		before := resident(b, pid)
		for range idleSubscribers {
			go subscribeRaw(b, p.address, bench.token).idle()
		}
		b.ReportMetric((resident(b, pid)-before)/idleSubscribers, "RSS-B/subscriber")
		p.kill()

		here := bootBench(b)
		go subscribeRaw(b, here.address(), here.token).idle()
		goroutines := runtime.NumGoroutine()
		const some = 1000
		for range some {
			go subscribeRaw(b, here.address(), here.token).idle()
		}
		least := runtime.NumGoroutine() // a ping on its way has one more
		look := time.NewTicker(100 * time.Millisecond)
		for range 30 {
			<-look.C
			least = min(least, runtime.NumGoroutine())
		}
		look.Stop()
		b.ReportMetric(float64(least-goroutines)/some-1, "goroutines/subscriber") // one is the test's own
	}
}

// bootBench is a program in this process.
func bootBench(b *testing.B) *program {
	b.Helper()
	p, err := launch(context.Background(), b.TempDir(), setup{customers: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := p.end(); err != nil {
			b.Error(err)
		}
	})
	if err := p.settled(b.Context()); err != nil {
		b.Fatal(err)
	}
	return p
}

// BenchmarkEventsDelivered is how fast events reach many who follow the same.
func BenchmarkEventsDelivered(b *testing.B) {
	const events = 500
	server := miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	hints := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer hints.Close()
	for b.Loop() {
		bench := newCrashBench(b, crashProgram(b), "sqlite:"+filepath.Join(b.TempDir(), "records.db"), "REDIS_URL=redis://"+server.Addr())
		p := bench.start(b, "")
		var arrived atomic.Int64
		var readers sync.WaitGroup
		for range activeSubscribers {
			s := subscribeRaw(b, p.address, bench.token)
			readers.Go(func() {
				for range events {
					if _, err := s.read(); err != nil {
						return
					}
					arrived.Add(1)
				}
			})
		}
		records := openRecords(b, bench)
		before, began := spent(b, p.command.Process.Pid), time.Now()
		for n := 0; n < events; n += 50 {
			batch := make([]*lending.Event, 50)
			for i := range batch {
				batch[i] = &lending.Event{
					ID: lending.EventID(fmt.Sprintf("bench-%06d", n+i)), Type: lending.EventUnknown, ProviderType: "bench",
					Provider: lending.Kredete, Source: lending.FromWebhook, OccurredAt: time.Now().UTC(), ReceivedAt: time.Now().UTC(),
				}
			}
			if err := records.AppendEvents(b.Context(), batch...); err != nil {
				b.Fatal(err)
			}
			if err := hints.Publish(b.Context(), "creditgraph:events", "").Err(); err != nil {
				b.Fatal(err)
			}
		}
		readers.Wait()
		took := time.Since(began)
		if got := arrived.Load(); got != events*activeSubscribers {
			b.Fatalf("%d deliveries of %d", got, events*activeSubscribers)
		}
		b.ReportMetric(float64(arrived.Load())/took.Seconds(), "deliveries/s")
		b.ReportMetric(float64(events)/took.Seconds(), "events/s")
		b.ReportMetric(float64((spent(b, p.command.Process.Pid)-before).Nanoseconds())/float64(arrived.Load()), "server-CPU-ns/delivery")
		p.kill()
	}
}

// BenchmarkWebhooksAcknowledged compares the rate at which webhooks are acknowledged on PostgreSQL with that of
// bare inserts of the same rows.
func BenchmarkWebhooksAcknowledged(b *testing.B) {
	server := os.Getenv("CREDITGRAPH_TEST_POSTGRES")
	if server == "" {
		b.Fatal("set CREDITGRAPH_TEST_POSTGRES")
	}
	const count, hands = 6000, 32
	for b.Loop() {
		bench := newCrashBench(b, crashProgram(b), crashPostgres(b, server))
		p := bench.start(b, "")
		fleet := &replicaFleet{bench: bench, secret: secretOf(bench, "KREDETE_WEBHOOK_SECRET")}
		p.client.Transport = &http.Transport{MaxIdleConnsPerHost: hands}
		acknowledged := rate(b, count, hands, func(n int) error { return fleet.tell(b.Context(), p, n) })
		p.kill()
		inserted := bareInserts(b, bench.database, count, hands)
		b.ReportMetric(acknowledged, "webhooks/s")
		b.ReportMetric(inserted, "inserts/s")
		b.ReportMetric(acknowledged/inserted, "of-inserts")
	}
}

// rate does something many times at once, and tells how often a second.
func rate(b *testing.B, count, hands int, do func(n int) error) float64 {
	b.Helper()
	var next atomic.Int64
	var working sync.WaitGroup
	var failed atomic.Pointer[error]
	began := time.Now()
	for range hands {
		working.Go(func() {
			for n := next.Add(1); n <= int64(count); n = next.Add(1) {
				if err := do(int(n)); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	working.Wait()
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
	return float64(count) / time.Since(began).Seconds()
}

// bareInserts copies the rows of the inbox one by one, each in a transaction of its own.
func bareInserts(b *testing.B, database string, count, hands int) float64 {
	b.Helper()
	db, err := sql.Open("pgx", database)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(hands)
	db.SetMaxIdleConns(hands)
	if _, err := db.Exec(`CREATE TABLE bare (LIKE webhook_inbox INCLUDING ALL)`); err != nil {
		b.Fatal(err)
	}
	var mode string
	if err := db.QueryRow("SHOW synchronous_commit").Scan(&mode); err != nil || mode != "on" {
		b.Fatalf("synchronous_commit is %s: %v", mode, err)
	}
	var body []byte
	if err := db.QueryRow("SELECT body FROM webhook_inbox LIMIT 1").Scan(&body); err != nil {
		b.Fatal(err)
	}
	return rate(b, count, hands, func(n int) error {
		_, err := db.Exec(`INSERT INTO bare (id, provider, dedupe_key, nonce, body, received_at, state, attempts, next_try_at, last_error, updated_at)
			VALUES ($1, 'KREDETE', $2, '', $3, $4, 'RECEIVED', 0, $4, '', $4)`,
			fmt.Sprintf("%036d", n), fmt.Sprintf("%064d", n), body, time.Now().UnixMicro())
		return err
	})
}
