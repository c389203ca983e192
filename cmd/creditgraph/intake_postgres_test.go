//go:build unix

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// stormPostgres is a server of PostgreSQL that belongs to one test, which may restart it.
type stormPostgres struct {
	address string
	place   string
	bin     string
	owner   *syscall.Credential // nil for ourselves
}

// newStormPostgres makes and starts one. It syncs each commit to disk, as one that matters does.
func newStormPostgres(t *testing.T) *stormPostgres {
	t.Helper()
	s := &stormPostgres{bin: postgresPrograms(t)}
	var err error
	if s.place, err = os.MkdirTemp("", "creditgraph-postgres-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(s.place); err != nil {
			t.Error(err)
		}
	})
	if os.Geteuid() == 0 {
		s.becomePostgres(t)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	s.address = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	s.run(t, "initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	s.run(t, "pg_ctl", "-w", "-l", filepath.Join(s.place, "log"), "-o",
		fmt.Sprintf("-h 127.0.0.1 -p %d -k %s -c max_connections=60", port, s.place), "start")
	t.Cleanup(func() { s.run(t, "pg_ctl", "-m", "immediate", "-w", "stop") })
	return s
}

// postgresPrograms is where PostgreSQL's programs are. A test that was asked for must not pass without them.
func postgresPrograms(t *testing.T) string {
	t.Helper()
	if found, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(found)
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		t.Fatalf("%s is set, and there is no initdb (Debian: apt-get install postgresql): %v", stormVariable, err)
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1])
}

// becomePostgres gives the place to the user postgres: the server does not run for root.
func (s *stormPostgres) becomePostgres(t *testing.T) {
	t.Helper()
	account, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	s.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := os.Chown(s.place, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
}

// restart kills all of the server's processes without a checkpoint, and starts it again.
func (s *stormPostgres) restart(t *testing.T) {
	t.Helper()
	s.run(t, "pg_ctl", "-m", "immediate", "-w", "-l", filepath.Join(s.place, "log"), "restart")
}

func (s *stormPostgres) run(t *testing.T, program string, arguments ...string) {
	t.Helper()
	command := exec.Command(filepath.Join(s.bin, program), append([]string{"-D", filepath.Join(s.place, "data")}, arguments...)...)
	command.Dir, command.WaitDelay = s.place, 10*time.Second
	command.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	if told, err := command.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", program, err, told)
	}
}
