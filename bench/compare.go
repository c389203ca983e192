package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// compareCommand measures both contenders, first with a cache in the process and then with Redis.
type compareCommand struct {
	Rounds   int    `default:"5" help:"How often the contenders take turns at each shape."`
	Requests int    `default:"100" help:"Requests of a summary in one turn; of larger shapes there are fewer."`
	Redis    bool   `default:"true" negatable:"" help:"Measure with a Redis too; redis-server has to be installed."`
	Module   string `default:"." help:"Where the module's go.mod is." type:"existingdir"`

	out io.Writer // standard output where nil
}

// run is what one comparison is made of.
type run struct {
	command *compareCommand
	dir     string
	program string
	self    string
	twins   *twins
	client  *http.Client
	common  []string // variables of both contenders
	ids     []string
	cursors []string
	next    int // the first customer whom nobody has asked for yet
}

// Run measures and prints.
func (c *compareCommand) Run(ctx context.Context) (err error) {
	if c.out == nil {
		c.out = os.Stdout
	}
	dir, err := os.MkdirTemp("", "creditgraph-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &run{command: c, dir: dir, program: filepath.Join(dir, "creditgraph"), client: &http.Client{Timeout: patience}}
	if r.self, err = os.Executable(); err != nil {
		return err
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.twins.stop()) }()
	if err := r.compare(ctx, "Cache in the process", ""); err != nil {
		return err
	}
	if !c.Redis {
		return nil
	}
	redis, address, err := startRedis(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, redis.stop()) }()
	return r.compare(ctx, "Cache in Redis", "redis://"+address+"/0")
}

// need is how many customers are asked for once and never again, by one comparison.
func (c *compareCommand) need() int {
	cold := 0
	for _, m := range c.measurements() {
		if m.cold {
			cold += m.requests * c.Rounds * m.shape.customers
		}
	}
	return cold + 2*pageCustomers
}

// prepare builds the program and makes a database of customers.
func (r *run) prepare(ctx context.Context) error {
	build := exec.CommandContext(ctx, "go", "build", "-o", r.program, "./cmd/creditgraph")
	build.Dir = r.command.Module
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	people := r.command.need()
	if people > world.MaxSize {
		return fmt.Errorf("%d customers would be needed, and %d is the most: ask for fewer rounds or requests", people, world.MaxSize)
	}
	var err error
	if r.twins, err = startTwins(ctx, r.program, people); err != nil {
		return err
	}
	secret := rand.Text() + rand.Text()
	database := "sqlite:" + filepath.Join(r.dir, "bench.db")
	r.common = append(r.twins.settings,
		"DATABASE_URL="+database, "DATA_KEY="+secret, "CREDITGRAPH_LISTEN=127.0.0.1:0", "PUBLIC_URL=http://127.0.0.1",
		"CREDITGRAPH_LOG_LEVEL=warn", "CREDITGRAPH_PROFILE_SOFT_TTL=1h", "CREDITGRAPH_PROFILE_HARD_TTL=2h",
		"CREDITGRAPH_CREDIT_LINE_SOFT_TTL=1h", "CREDITGRAPH_CREDIT_LINE_HARD_TTL=2h")
	fmt.Fprintf(os.Stderr, "%d customers are imported\n", people)
	for _, step := range []string{"migrate", "import"} {
		if _, err := output(ctx, r.program, r.common, step); err != nil {
			return err
		}
	}
	r.ids, r.cursors, err = seed(ctx, database, secret, world.New(1, people))
	return err
}

// startRedis runs a Redis that keeps nothing.
func startRedis(ctx context.Context, dir string) (*process, string, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, "", errors.New("redis-server is not installed: install it, or leave its part out with --no-redis")
	}
	address, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	_, port, _ := strings.Cut(address, ":")
	p, err := launch(ctx, "redis-server", program, nil, "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", dir)
	if err != nil {
		return nil, "", err
	}
	_, err = p.await(func(line string) bool { return strings.Contains(line, "Ready to accept connections") })
	return p, address, err
}

// measurement is one row of a table.
type measurement struct {
	shape    shape
	cold     bool
	requests int // in one turn
}

func (m measurement) name() string {
	if m.cold {
		return m.shape.name + ", cold"
	}
	return m.shape.name + ", warm"
}

func (c *compareCommand) measurements() []measurement {
	return []measurement{
		{summaryShape, false, c.Requests},
		{summaryShape, true, c.Requests},
		{tableShape, false, max(1, c.Requests/5)},
		{tableShape, true, max(1, c.Requests/10)},
		{pageShape, false, max(1, c.Requests/10)},
	}
}

// compare measures all shapes with fresh processes and prints a table.
func (r *run) compare(ctx context.Context, title, redis string) (err error) {
	var both [2]*contender
	for i, start := range []func(context.Context, []string) (*contender, error){r.startGraph, r.startPlain} {
		variables := append(r.common[:len(r.common):len(r.common)], "REDIS_URL="+redis)
		if both[i], err = start(ctx, variables); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, both[i].stop()) }()
	}
	r.next = pageCustomers
	fmt.Fprintf(r.command.out, "\n### %s\n\n%s\n", title, tableHead)
	for _, m := range r.command.measurements() {
		var cost [2]figures
		if err := r.agree(ctx, both, m); err != nil {
			return err
		}
		for range r.command.Rounds {
			questions := r.questions(m)
			for i, c := range both {
				if err := c.spend(ctx, r.client, r.twins, questions, &cost[i]); err != nil {
					return err
				}
			}
		}
		fmt.Fprintln(r.command.out, row(m.name(), cost))
	}
	return nil
}

// agree makes sure that both answer alike, and warms what is to be warm.
func (r *run) agree(ctx context.Context, both [2]*contender, m measurement) error {
	var answers [2][]byte
	warm := m
	warm.cold = false
	for _, q := range r.questions(warm)[:1] {
		for range 2 {
			for i, c := range both {
				var err error
				if answers[i], err = c.ask(ctx, r.client, q); err != nil {
					return err
				}
			}
		}
	}
	return same(answers[0], answers[1])
}

// questions are one turn's: always the same where the cache is to be warm, about customers whom nobody has
// asked for where it is to be cold.
func (r *run) questions(m measurement) []question {
	all := make([]question, m.requests)
	for i := range all {
		q := question{shape: m.shape}
		at := 0
		if m.cold {
			at = r.next
			r.next += m.shape.customers
		}
		if m.shape.customers == 1 {
			q.id = r.ids[at]
		} else if at > 0 {
			q.after = r.cursors[at-1]
		}
		all[i] = q
	}
	return all
}

// startGraph runs the service, with a client that may read all but personal data.
func (r *run) startGraph(ctx context.Context, variables []string) (*contender, error) {
	printed, err := output(ctx, r.program, variables, "client", "create", "--name", "bench-"+newID(),
		"--scopes", "read:customers read:loans read:payments read:scores read:reports")
	if err != nil {
		return nil, err
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	for line := range strings.Lines(printed) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ": "); found {
			form.Set(name, value)
		}
	}
	debug, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p, err := launch(ctx, "creditgraph", r.program, append(variables, "CREDITGRAPH_DEBUG_LISTEN="+debug), "serve")
	if err != nil {
		return nil, err
	}
	c := &contender{process: p, debug: "http://" + debug, graph: true}
	if c.url, err = p.address(); err != nil {
		return nil, err
	}
	response, err := r.client.PostForm(c.url+"/oauth/token", form)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var told struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&told); err != nil || told.Token == "" {
		return nil, fmt.Errorf("no token came from %s: %d %w", c.url, response.StatusCode, err)
	}
	c.token = told.Token
	return c, nil
}

func (r *run) startPlain(ctx context.Context, variables []string) (*contender, error) {
	p, err := launch(ctx, "plain", r.self, variables, "plain")
	if err != nil {
		return nil, err
	}
	address, err := p.address()
	return &contender{process: p, url: address, debug: address}, err
}

const tableHead = "| shape | CPU of the graph | of the plain handler | **CPU, ratio** | allocations, ratio | bytes, ratio | upstream calls each | p50, ms | p99, ms |\n" +
	"|---|---|---|---|---|---|---|---|---|"

// row is one shape's line: what one request costs on average, and how the graph compares.
func row(name string, cost [2]figures) string {
	graph, plain := cost[0], cost[1]
	each := func(total time.Duration, f figures) float64 { return total.Seconds() * 1000 / float64(f.requests) }
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	calls := fmt.Sprintf("%.1f / %.1f", float64(graph.calls)/float64(graph.requests), float64(plain.calls)/float64(plain.requests))
	return fmt.Sprintf("| %s | %.2f ms | %.2f ms | **%.1f** | %.1f (%d / %d) | %.1f | %s | %.1f / %.1f | %.1f / %.1f |", name,
		each(graph.cpu, graph), each(plain.cpu, plain), float64(graph.cpu)/float64(plain.cpu),
		float64(graph.mallocs)/float64(plain.mallocs), graph.mallocs/int64(graph.requests), plain.mallocs/int64(plain.requests),
		float64(graph.bytes)/float64(plain.bytes), calls,
		ms(graph.percentile(50)), ms(plain.percentile(50)), ms(graph.percentile(99)), ms(plain.percentile(99)))
}
