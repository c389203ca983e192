package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// twins are the stand-in providers, which count their calls.
type twins struct {
	*process
	settings  []string // NAME=value for a gateway
	addresses []string
}

// startTwins serves a world of people and waits until all providers' settings are told.
func startTwins(ctx context.Context, program string, people int) (*twins, error) {
	p, err := launch(ctx, "sandbox", program, []string{fmt.Sprintf("CREDITGRAPH_SANDBOX_CUSTOMERS=%d", people), "CREDITGRAPH_LOG_LEVEL=error"}, "sandbox", "--port", "0")
	if err != nil {
		return nil, err
	}
	lines, err := p.await(func(line string) bool { return strings.Contains(line, "ONEPIPE_AUTH_PROVIDER") })
	if err != nil {
		return nil, err
	}
	t := &twins{process: p}
	known := map[string]bool{}
	for _, line := range lines {
		setting, ok := strings.CutPrefix(line, "export ")
		if !ok {
			continue
		}
		name, value, _ := strings.Cut(setting, "=")
		value = strings.Trim(value, "'")
		t.settings = append(t.settings, name+"="+value)
		if u, err := url.Parse(value); err == nil && u.Scheme == "http" && !known[u.Host] {
			known[u.Host] = true
			t.addresses = append(t.addresses, "http://"+u.Host)
		}
	}
	return t, nil
}

// reset starts the counts of calls again.
func (t *twins) reset(ctx context.Context, client *http.Client) error {
	for _, address := range t.addresses {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/__sandbox/reset-counts", nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		if err := response.Body.Close(); err != nil {
			return err
		}
	}
	return nil
}

// calls is how often the twins were called since the last reset, tokens not counted.
func (t *twins) calls(ctx context.Context, client *http.Client) (int, error) {
	total := 0
	for _, address := range t.addresses {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/__sandbox/calls", nil)
		if err != nil {
			return 0, err
		}
		response, err := client.Do(request)
		if err != nil {
			return 0, err
		}
		var told struct{ Calls map[string]int }
		err = json.NewDecoder(response.Body).Decode(&told)
		if closed := response.Body.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return 0, err
		}
		for route, n := range told.Calls {
			if !strings.Contains(route, "oauth/token") {
				total += n
			}
		}
	}
	return total, nil
}
