package main

import (
	"net"
	"sync"
	"testing"
	"time"
)

// gate stands before a server and lets tests cut it off: what is behind it is not touched. It is open first.
type gate struct {
	t       *testing.T
	address string
	target  string

	mu       sync.Mutex
	changed  *sync.Cond
	listener net.Listener
	hung     bool          // what comes in is taken and not passed on
	delay    time.Duration // before each piece of an answer
	conns    map[net.Conn]bool
	running  sync.WaitGroup
}

func newGate(t *testing.T, target string) *gate {
	t.Helper()
	g := &gate{t: t, target: target, conns: map[net.Conn]bool{}}
	g.changed = sync.NewCond(&g.mu)
	listener := listenLocally(t)
	g.address = listener.Addr().String()
	g.serve(listener)
	t.Cleanup(func() {
		g.refuse()
		g.running.Wait()
	})
	return g
}

func (g *gate) serve(listener net.Listener) {
	g.listener = listener
	g.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // it was closed
			}
			g.running.Go(func() { g.pass(conn) })
		}
	})
}

// pass connects one client with the server until either hangs up.
func (g *gate) pass(client net.Conn) {
	g.hold(client)
	defer g.drop(client)
	g.mu.Lock()
	for g.hung && g.conns[client] {
		g.changed.Wait()
	}
	g.mu.Unlock()
	server, err := net.Dial("tcp", g.target)
	if err != nil {
		return
	}
	g.hold(server)
	defer g.drop(server)
	g.running.Go(func() {
		g.copy(server, client, false)
		g.drop(server)
	})
	g.copy(client, server, true)
}

// copy passes bytes on as the gate stands.
func (g *gate) copy(to, from net.Conn, answer bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		g.mu.Lock()
		for g.hung && g.conns[from] && g.conns[to] {
			g.changed.Wait()
		}
		delay := g.delay
		g.mu.Unlock()
		if answer && delay > 0 {
			time.Sleep(delay) // the fault that is asked for: nobody waits for anything by it
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return // either has hung up, which is what a gate is for
		}
	}
}

func (g *gate) hold(conn net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns[conn] = true
}

func (g *gate) drop(conn net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, conn)
	_ = conn.Close() // it may be closed already
	g.changed.Broadcast()
}

// refuse cuts all connections and refuses new ones, as a server that is down does.
func (g *gate) refuse() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.listener != nil {
		_ = g.listener.Close() // a second time it is closed already
		g.listener = nil
	}
	for conn := range g.conns {
		delete(g.conns, conn)
		_ = conn.Close() // the client may have closed it
	}
	g.hung = false
	g.changed.Broadcast()
}

// hang takes what is sent and answers nothing, as a server behind a dead link does.
func (g *gate) hang() { g.set(func() { g.hung = true }) }

// slow lets each piece of an answer wait.
func (g *gate) slow(delay time.Duration) { g.set(func() { g.delay = delay }) }

func (g *gate) set(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
	g.changed.Broadcast()
}

// open lets everything through again, on the same address.
func (g *gate) open() {
	g.t.Helper()
	g.set(func() { g.hung, g.delay = false, 0 })
	if g.listener != nil {
		return
	}
	listener, err := net.Listen("tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.serve(listener)
}
