package telemetry

import (
	"math"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"testing"
	"testing/fstest"
)

func TestTheContainersMemory(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for _, tc := range []struct {
		name   string
		system fstest.MapFS
		want   int64 // 0 for none
	}{
		{"version 2", fstest.MapFS{"proc/self/cgroup": file("0::/app\n"), "sys/fs/cgroup/app/memory.max": file("1000\n")}, 1000},
		{"a tighter group above", fstest.MapFS{
			"proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/memory.max": file("1000\n"), "sys/fs/cgroup/a/memory.max": file("700\n"),
		}, 700},
		{"a tighter group below", fstest.MapFS{
			"proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/memory.max": file("500\n"), "sys/fs/cgroup/a/memory.max": file("700\n"),
		}, 500},
		{"seen from inside a container", fstest.MapFS{"proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("500\n")}, 500},
		{"no limit", fstest.MapFS{"proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("max\n")}, 0},
		{"version 1", fstest.MapFS{
			"proc/self/cgroup": file("5:cpu:/x\n4:memory:/x\n"), "sys/fs/cgroup/memory/x/memory.limit_in_bytes": file("900\n"),
		}, 900},
		{"version 1 without a limit", fstest.MapFS{
			"proc/self/cgroup": file("4:memory:/x\n"), "sys/fs/cgroup/memory/x/memory.limit_in_bytes": file("9223372036854771712\n"),
		}, 0},
		{"no control groups", fstest.MapFS{}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := containerMemory(tc.system)
			if (err == nil) != (tc.want > 0) || got != tc.want {
				t.Errorf("got %d and %v, want %d", got, err, tc.want)
			}
		})
	}
}

// TestMemoryIsLimitedOnce changes the process's limit, and puts it back.
func TestMemoryIsLimitedOnce(t *testing.T) {
	before := debug.SetMemoryLimit(math.MaxInt64)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	system := fstest.MapFS{"proc/self/cgroup": {Data: []byte("0::/\n")}, "sys/fs/cgroup/memory.max": {Data: []byte("10000000000\n")}}
	if limit, from := LimitMemory(fstest.MapFS{}); limit != math.MaxInt64 || from != "nothing" {
		t.Errorf("without a container the limit is %d of %s", limit, from)
	}
	if limit, from := LimitMemory(system); limit != 9_000_000_000 || from != "the container" || debug.SetMemoryLimit(-1) != limit {
		t.Errorf("the limit is %d of %s", limit, from)
	}
	debug.SetMemoryLimit(5_000_000_000)
	if limit, from := LimitMemory(system); limit != 5_000_000_000 || from != "GOMEMLIMIT" {
		t.Errorf("what was set becomes %d of %s", limit, from)
	}
}

func TestProfilesAreServed(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]int{"/debug/pprof/heap": 200, "/debug/pprof/cmdline": 200, "/debug/pprof/": 200, "/": 404, "/metrics": 404} {
		answer := httptest.NewRecorder()
		Profiles().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		if answer.Code != want {
			t.Errorf("%s is %d, want %d", path, answer.Code, want)
		}
	}
}

func TestTheBuildIsNamed(t *testing.T) {
	t.Parallel()
	info := &debug.BuildInfo{GoVersion: "go1.26", Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}}
	if got, want := versionOf(info), (Version{"(devel)", "abc+dirty", "go1.26"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if v := BuildVersion(); v.Go == "" || v.Version == "" || v.Revision == "" {
		t.Errorf("this build is %v", v)
	}
	told, err := New(Config{Version: Version{"v1.0.0", "abc", "go1.26"}})
	if err != nil {
		t.Fatal(err)
	}
	told.wantLines(t, `creditgraph_build_info{goversion="go1.26",revision="abc",version="v1.0.0"} 1`)
}
