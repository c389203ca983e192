// Package server puts the graph on HTTP: the endpoints, the transports, the limits before the work, who may
// see what, and how errors look.
package server
