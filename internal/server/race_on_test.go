//go:build race

package server_test

// slowdown is how much slower the program is than outside of tests: the race detector's.
const slowdown = 15
