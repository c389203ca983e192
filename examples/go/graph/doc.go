// Package graph has a function and types for each operation of examples/operations. All but this file is generated.
package graph
