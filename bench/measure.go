package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// contender is one of the two that are compared.
type contender struct {
	*process
	url   string
	debug string // where net/http/pprof tells of its memory
	token string
	graph bool
}

// reading is what a contender has used so far.
type reading struct {
	cpu            time.Duration
	mallocs, bytes int64
}

// figures are what one shape cost a contender.
type figures struct {
	requests int
	cpu      time.Duration // for all requests
	mallocs  int64
	bytes    int64
	calls    int
	took     []time.Duration
}

func (f *figures) add(before, after reading, idle reading) {
	f.cpu += after.cpu - before.cpu
	f.mallocs += max(0, after.mallocs-before.mallocs-idle.mallocs)
	f.bytes += max(0, after.bytes-before.bytes-idle.bytes)
}

// percentile is of the requests' times as the client saw them.
func (f *figures) percentile(n int) time.Duration {
	sorted := slices.Sorted(slices.Values(f.took))
	return sorted[min(len(sorted)-1, len(sorted)*n/100)]
}

// ask sends one question and gives the data of the answer.
func (c *contender) ask(ctx context.Context, client *http.Client, q question) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+q.address(), nil)
	if c.graph {
		body, bodyErr := q.body()
		if bodyErr != nil {
			return nil, bodyErr
		}
		request, err = http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/graphql", bytes.NewReader(body))
	}
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+c.token)
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK || bytes.Contains(text, []byte(`"errors":[`)) {
		return nil, fmt.Errorf("%s answers %s with %d: %.400s", c.name, q.shape.name, response.StatusCode, text)
	}
	return text, nil
}

var memory = regexp.MustCompile(`(?m)^# (Mallocs|TotalAlloc) = (\d+)$`)

// read tells what the contender has used so far.
func (c *contender) read(ctx context.Context, client *http.Client) (reading, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.debug+"/debug/pprof/heap?debug=1", nil)
	if err != nil {
		return reading{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return reading{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return reading{}, err
	}
	found := memory.FindAllSubmatch(text, -1)
	if len(found) != 2 {
		return reading{}, fmt.Errorf("%s does not tell its memory at %s: %d, %.100s", c.name, c.debug, response.StatusCode, text)
	}
	var r reading
	for _, match := range found {
		n, err := strconv.ParseInt(string(match[2]), 10, 64)
		if err != nil {
			return reading{}, err
		}
		if string(match[1]) == "Mallocs" {
			r.mallocs = n
		} else {
			r.bytes = n
		}
	}
	r.cpu, err = c.cpu()
	return r, err
}

// idle is what it costs a contender to be read.
func (c *contender) idle(ctx context.Context, client *http.Client) (reading, error) {
	before, err := c.read(ctx, client)
	if err != nil {
		return reading{}, err
	}
	after, err := c.read(ctx, client)
	return reading{cpu: after.cpu - before.cpu, mallocs: after.mallocs - before.mallocs, bytes: after.bytes - before.bytes}, err
}

// spend asks questions one after the other and adds what they cost.
func (c *contender) spend(ctx context.Context, client *http.Client, twins *twins, questions []question, total *figures) error {
	idle, err := c.idle(ctx, client)
	if err != nil {
		return err
	}
	if err := twins.reset(ctx, client); err != nil {
		return err
	}
	before, err := c.read(ctx, client)
	if err != nil {
		return err
	}
	for _, q := range questions {
		began := time.Now()
		if _, err := c.ask(ctx, client, q); err != nil {
			return err
		}
		total.took = append(total.took, time.Since(began))
	}
	after, err := c.read(ctx, client)
	if err != nil {
		return err
	}
	calls, err := twins.calls(ctx, client)
	if err != nil {
		return err
	}
	total.requests += len(questions)
	total.calls += calls
	total.add(before, after, idle)
	return nil
}

// same fails unless both give the same data, but for the moments at which they were asked.
func same(graph, plain []byte) error {
	var all [2]struct{ Data any }
	for i, text := range [][]byte{graph, plain} {
		if err := json.Unmarshal(text, &all[i]); err != nil {
			return err
		}
		forget(all[i].Data)
	}
	if !reflect.DeepEqual(all[0], all[1]) {
		return fmt.Errorf("the answers differ:\n%.2000s\n%.2000s", graph, plain)
	}
	return nil
}

// forget removes asOf everywhere.
func forget(value any) {
	switch v := value.(type) {
	case map[string]any:
		delete(v, "asOf")
		for _, inner := range v {
			forget(inner)
		}
	case []any:
		for _, inner := range v {
			forget(inner)
		}
	}
}
