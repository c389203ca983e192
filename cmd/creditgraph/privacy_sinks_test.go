package main

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rediscache "github.com/go-redis/cache/v9"
	"github.com/redis/go-redis/v9"

	"github.com/creditgraph/creditgraph/internal/lending"
)

// sink is a place that personal data must not come to.
type sink struct {
	name string
	// read gives what is there, by where exactly.
	read func(t *testing.T) map[string]string
	// allowed says whether a value may stand in a place; nil where none may.
	allowed func(place, text, what string) bool
}

// sinks are all places. What else the program writes to one day, is added here.
func (p *program) sinks(played *played, seen *visited) []sink {
	all := []sink{
		{name: "the answers", read: func(*testing.T) map[string]string { return played.answers() }},
		{name: "the streams of events", read: func(*testing.T) map[string]string { return lines(played.streamed.String()) }},
		{name: "the log", read: func(*testing.T) map[string]string { return lines(p.log.String()) }},
		{name: "the log of another replica", read: func(*testing.T) map[string]string { return lines(played.replica.String()) }},
		{name: "the addresses that providers are asked at", read: func(*testing.T) map[string]string { return list(seen.addresses()) }, allowed: p.contracted},
		{name: "the metrics", read: func(t *testing.T) map[string]string { return lines(p.metrics(t)) }},
		{name: "the database", read: p.cells},
		{name: "Redis", read: played.watch.entries},
		{name: "the channels of Redis", read: func(*testing.T) map[string]string { return lines(played.watch.heard.String()) }},
	}
	if printed := p.printed.String(); printed != "" {
		all = append(all, sink{name: "what is printed", read: func(*testing.T) map[string]string { return lines(printed) }})
	}
	if strings.HasPrefix(string(p.settings.DatabaseURL), "sqlite:") {
		all = append(all, sink{name: "the database's files", read: p.files})
	}
	return all
}

func list(texts []string) map[string]string {
	all := map[string]string{}
	for i, text := range texts {
		all[fmt.Sprintf("%d: %.300s", i, text)] = text
	}
	return all
}

func lines(text string) map[string]string { return list(slices.Collect(strings.Lines(text))) }

// contracted are the values that a provider wants in its addresses, for there is no other way to ask it.
func (p *program) contracted(_, visit, what string) bool {
	of := func(name lending.Provider) bool {
		return strings.HasPrefix(visit, strings.TrimPrefix(p.sandbox.Server(name).URL(), "http://"))
	}
	switch {
	case of(lending.Kredmint) && strings.Contains(visit, "/supplier?username="):
		// Kredmint's documentation, List Suppliers: account/supplier?username=<mobile number>.
		return strings.HasPrefix(what, "mobile number at Kredmint") || strings.HasPrefix(what, "phone number of person")
	case of(lending.TrustDecision):
		// TrustDecision's documentation, request parameters: partner_key is one of the address.
		return strings.Contains(what, "_") // a setting: the twins have one secret in common
	}
	return false
}

// cells are all that the database holds, by table and column.
func (p *program) cells(t *testing.T) map[string]string {
	t.Helper()
	db, err := openDirectly(string(p.settings.DatabaseURL))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if strings.HasPrefix(string(p.settings.DatabaseURL), "postgres") {
		tables = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()"
	}
	all := map[string]string{}
	for _, table := range rowsOf(t, db, tables) {
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
	for _, table := range []string{"customers", "identities", "operations", "events", "webhook_inbox", "credit_reports", "documents", "audit_records"} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(all)), func(place string) bool { return strings.HasPrefix(place, table+".") }) {
			t.Errorf("%s is empty: what it would hold is not looked at", table)
		}
	}
	return all
}

// files are the database's files as they are on the disk, its journal among them.
func (p *program) files(t *testing.T) map[string]string {
	t.Helper()
	found, err := filepath.Glob(strings.TrimPrefix(string(p.settings.DatabaseURL), "sqlite:") + "*")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, file := range found {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(file)] = string(content)
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

// redisWatch looks into a server of Redis, and hears what is said there.
type redisWatch struct {
	client *redis.Client
	pubsub *redis.PubSub
	heard  *logbook
	done   chan struct{}
}

// watchRedis begins to listen on all channels.
func watchRedis(t *testing.T, address string) *redisWatch {
	t.Helper()
	options, err := redis.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	w := &redisWatch{client: redis.NewClient(options), heard: &logbook{}, done: make(chan struct{})}
	w.pubsub = w.client.PSubscribe(t.Context(), "*")
	if _, err := w.pubsub.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(w.done)
		for message := range w.pubsub.Channel() {
			fmt.Fprintf(w.heard, "%s %s\n", message.Channel, message.Payload)
		}
	}()
	t.Cleanup(func() {
		if err := w.pubsub.Close(); err != nil {
			t.Error(err)
		}
		<-w.done
		if err := w.client.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// entries are all keys with all that stands under them: as it is, and as what msgpack and compression make of it.
func (w *redisWatch) entries(t *testing.T) map[string]string {
	t.Helper()
	ctx, all := t.Context(), map[string]string{}
	unpack := rediscache.New(&rediscache.Options{Redis: w.client})
	keys := w.client.Scan(ctx, 0, "*", 1000).Iterator()
	for keys.Next(ctx) {
		key := keys.Val()
		values, err := w.values(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range values {
			var unpacked any
			all[key] += key + " " + value + "\n"
			if unpack.Unmarshal([]byte(value), &unpacked) == nil {
				all[key] += fmt.Sprintln(unpacked)
			}
		}
	}
	if err := keys.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// values are what stands under a key of any type; nothing where it is gone by now.
func (w *redisWatch) values(ctx context.Context, key string) ([]string, error) {
	kind, err := w.client.Type(ctx, key).Result()
	if err != nil {
		return nil, err
	}
	var values []string
	switch kind {
	case "none":
	case "string":
		var value string
		value, err = w.client.Get(ctx, key).Result()
		values = []string{value}
	case "hash":
		var fields map[string]string
		fields, err = w.client.HGetAll(ctx, key).Result()
		values = []string{fmt.Sprint(fields)}
	case "list":
		values, err = w.client.LRange(ctx, key, 0, -1).Result()
	case "set":
		values, err = w.client.SMembers(ctx, key).Result()
	case "zset":
		values, err = w.client.ZRange(ctx, key, 0, -1).Result()
	default:
		return nil, fmt.Errorf("%s is a %s, which nobody looks into here", key, kind)
	}
	if err == redis.Nil {
		return nil, nil
	}
	return values, err
}
