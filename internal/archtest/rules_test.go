package archtest

import "slices"

// rule says what a group of packages may import of this module.
type rule struct {
	// of names the packages by their paths within the module.
	of []string
	// may names what they import at most. "…/*" stands for the packages one step below.
	may []string
	// standardOnly forbids third-party modules.
	standardOnly bool
	// because is the reason of a row that departs from the plain flow of reads and writes.
	because string
}

// vendors are the folders of drivers and twins.
var vendors = []string{"carbon", "kredete", "kredmint", "onepipe", "trustdecision"}

// below gives the vendors' folders below a path.
func below(path string) []string {
	var list []string
	for _, vendor := range vendors {
		list = append(list, path+"/"+vendor)
	}
	return list
}

const (
	lending = "internal/lending"
	service = "internal/service"
	port    = "internal/provider"
	wire    = "internal/provider/wire"
	health  = "internal/health"
	twin    = "internal/sandbox/twin"
	world   = "internal/sandbox/world"
)

// rules is the table of the house. Reads flow schema → resolvers → loader → service → provider port ← cached
// ← resilient ← driver; writes resolvers → service → store, and service → driver through the port.
func rules() []rule {
	return []rule{
		{of: []string{lending}, standardOnly: true},

		{of: []string{"schema"}},
		{of: []string{"migrations"}},
		{of: []string{"web"}}, // the explorer, as it was built
		{of: []string{"internal/config"}},
		{of: []string{"internal/datakey"}},
		{of: []string{"internal/restclient"}},
		{of: []string{"internal/archtest"}},

		{
			of: []string{"graph"}, may: []string{lending, service, "graph/model", "graph/scalar"},
			because: "generated code names the types that the schema is bound to",
		},
		{
			of: []string{"graph/model"}, may: []string{lending, service},
			because: "the inputs and results of use cases are the service's types, and wrapping them twice says nothing new",
		},
		{
			of: []string{"graph/scalar"}, may: []string{lending, service, "graph/model"},
			because: "an enum is marshalled where the others are, whichever package declares its type",
		},
		{
			of:  []string{"resolvers"},
			may: []string{"graph", "graph/model", "graph/scalar", lending, service, "internal/loader", "internal/event", "internal/auth", "internal/quota"},
		},

		{
			of: []string{service}, may: []string{lending, port, health},
			because: "health is what is measured of calls, and the service judges it; see docs/adr/0025-health-shared-by-replicas.md",
		},
		{of: []string{health}, may: []string{lending, port}},
		{of: []string{"internal/health/board"}, may: []string{health}},
		{of: []string{"internal/loader"}, may: []string{lending, service}},
		{of: []string{"internal/event"}, may: []string{lending}},
		{of: []string{"internal/auth"}, may: []string{lending}},
		{of: []string{"internal/quota"}, may: []string{lending}},
		{of: []string{"internal/webhook"}, may: []string{lending, port, service}},

		{of: []string{port}, may: []string{lending}},
		{of: []string{"internal/provider/cached"}, may: []string{lending, port}},
		{
			of: []string{"internal/provider/resilient"}, may: []string{lending, port, "internal/quota"},
			because: "what we ask of a provider by its plan is counted as what clients ask of us; see docs/adr/0023-resilient-calls.md",
		},
		{of: []string{"internal/provider/providertest"}, may: []string{lending, port}},
		{of: []string{wire}, may: []string{lending}},
		{
			of: below(port), may: []string{lending, port, wire, "internal/restclient"},
			because: "wire is the tolerant reading of JSON that every driver needs; see docs/adr/0005-drivers-share-wire.md",
		},

		{
			of: []string{"internal/store"}, may: []string{lending, service, "migrations"},
			because: "the shapes that the service's ports are declared with live there; see docs/adr/0003-store-imports-the-services-types.md",
		},
		{of: []string{"internal/store/storetest"}, may: []string{lending, service, "migrations"}},

		{of: []string{world}, may: []string{lending}},
		{of: []string{twin}, may: []string{lending, world}},
		{
			of: below("internal/sandbox"), may: []string{lending, twin, world},
			because: "twins share their people and their faults, and nothing with the drivers: a misreading must not cancel out",
		},
		{of: []string{"internal/sandbox"}, may: append(below("internal/sandbox"), lending, twin, world)},

		{of: []string{"internal/reliability"}, may: []string{lending}},

		{
			of: []string{"bench"},
			may: []string{
				"schema", lending, port, "internal/datakey", "internal/provider/kredete", "internal/provider/kredmint", "internal/restclient",
				world, "internal/store",
			},
			because: "the plain handler makes the calls of the service by hand; the service itself is a process",
		},

		{
			of: []string{"internal/telemetry"}, may: []string{lending, port, "internal/provider/cached", service},
			because: "it takes the hooks that these packages declare; none of them knows of it",
		},

		{
			of: []string{"internal/server"},
			may: []string{
				"graph", "graph/model", "graph/scalar", "resolvers", "schema", lending, service, "internal/loader",
				"internal/event", "internal/auth", "internal/quota", "internal/telemetry", "internal/webhook", port,
			},
		},
		{
			of: []string{"cmd/creditgraph"},
			may: slices.Concat([]string{
				"schema", "graph", "graph/model", "graph/scalar", "resolvers", "migrations", "web", "internal/*", "internal/health/*", "internal/provider/*", "internal/sandbox/*",
			}),
			because: "the one place where the parts are put together",
		},
	}
}

// strangers are packages whose tests never meet: a driver and a twin that are tested against each other
// agree on what both got wrong.
func strangers() [][2][]string {
	return [][2][]string{{below(port), below("internal/sandbox")}, {below("internal/sandbox"), below(port)}}
}

// vague are package names that say nothing of what is inside.
func vague() []string { return []string{"util", "utils", "common", "helpers", "models", "manager"} }

// absent are folders that must not come to be.
func absent() map[string]string {
	return map[string]string{
		"graph/unbound": "a type of the schema is not bound to one of ours: name its model in gqlgen.yml",
	}
}
