package telemetry

import (
	"runtime"
	"runtime/debug"
)

// Version is which build this is.
type Version struct {
	Version  string // of the module; "(devel)" for one built from a checkout without a tag
	Revision string // of the source, with "+dirty" where it was changed
	Go       string
}

// BuildVersion reads what the Go tool wrote into the program.
func BuildVersion() Version {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Version{Version: "unknown", Revision: "unknown", Go: runtime.Version()}
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) Version {
	v := Version{Version: info.Main.Version, Revision: "unknown", Go: info.GoVersion}
	if v.Version == "" {
		v.Version = "(devel)"
	}
	changed := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v.Revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+dirty"
		}
	}
	v.Revision += changed
	return v
}
