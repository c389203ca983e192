// Package graph is the executable schema that gqlgen generates from package schema and gqlgen.yml. Only
// this comment and the tests are written by hand; make generate makes the rest anew.
package graph
