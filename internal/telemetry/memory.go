package telemetry

import (
	"errors"
	"io/fs"
	"math"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// memoryShare is the part of a container's memory that the Go runtime is held to; the rest is for what it does not count.
const memoryShare = 0.9

// LimitMemory holds the Go runtime to the memory of the container that it runs in, unless GOMEMLIMIT did so: without a
// limit a container is killed for garbage. system is the root of the file system. limit is what holds now, in bytes; from
// says who set it.
func LimitMemory(system fs.FS) (limit int64, from string) {
	if set := debug.SetMemoryLimit(-1); set != math.MaxInt64 {
		return set, "GOMEMLIMIT"
	}
	room, err := containerMemory(system)
	if err != nil {
		return math.MaxInt64, "nothing"
	}
	limit = int64(float64(room) * memoryShare)
	debug.SetMemoryLimit(limit)
	return limit, "the container"
}

var errUnlimited = errors.New("telemetry: the container has no limit of memory")

// containerMemory is the memory that a control group lets this process have: the least limit on the way to its root.
func containerMemory(system fs.FS) (int64, error) {
	groups, err := fs.ReadFile(system, "proc/self/cgroup")
	if err != nil {
		return 0, err
	}
	least := int64(math.MaxInt64)
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch {
		case parts[0] == "0":
			least = min(least, limitAbove(system, "sys/fs/cgroup", parts[2], "memory.max"))
		case parts[1] == "memory": // version 1
			least = min(least, limitAbove(system, "sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes"))
		}
	}
	if least >= math.MaxInt64/2 { // version 1 says "no limit" by a number that is as good as none
		return 0, errUnlimited
	}
	return least, nil
}

// limitAbove is the least number in the files of a name from a group up to the root.
func limitAbove(system fs.FS, root, group, name string) int64 {
	least := int64(math.MaxInt64)
	for at := path.Clean("/" + group); ; at = path.Dir(at) {
		text, err := fs.ReadFile(system, path.Join(root, at, name))
		if number, bad := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && bad == nil && number > 0 {
			least = min(least, number)
		}
		if at == "/" {
			return least
		}
	}
}
