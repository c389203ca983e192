package twin

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server serves a twin on a port. Stopped and started again it is back on the same port, so that tests can
// take a provider down.
type Server struct {
	handler http.Handler
	logger  *slog.Logger

	mu      sync.Mutex
	address string
	server  *http.Server // nil while stopped
	work    sync.WaitGroup
}

// NewServer makes a server for an address. Without a host ("", ":0", ":8081") it is 127.0.0.1; port 0 is any
// free port, chosen at the first Start and kept.
func NewServer(address string, handler http.Handler, logger *slog.Logger) *Server {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Server{handler: handler, logger: logger, address: address}
}

// Start begins to serve; the port is open when it returns. A server that runs is left alone.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return nil
	}
	if s.address == "" || s.address[0] == ':' {
		s.address = "127.0.0.1:" + portOf(s.address)
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return fmt.Errorf("sandbox: listen: %w", err)
	}
	s.address = listener.Addr().String()
	server := &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second, ConnState: s.track}
	s.server = server
	s.work.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.logger.Error("a provider's twin went down", "error", err)
		}
	})
	return nil
}

func portOf(address string) string {
	if len(address) < 2 {
		return "0"
	}
	return address[1:]
}

// track counts connections, so that Stop can wait until nothing is handled any more.
func (s *Server) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew: // called from Serve, which is counted itself
		s.work.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.work.Done()
	}
}

// URL is the address as a base URL without a slash at its end, "http://127.0.0.1:41234". The port is known
// after the first Start.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "http://" + s.address
}

// Stop closes the port and every connection at once, as a machine that goes down does, and waits for what is
// being handled. A server that does not run is left alone.
func (s *Server) Stop() error {
	s.mu.Lock()
	server := s.server
	s.server = nil
	s.mu.Unlock()
	if server == nil {
		return nil
	}
	err := server.Close()
	s.work.Wait()
	return err
}
