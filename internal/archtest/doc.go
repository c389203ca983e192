// Package archtest holds the house rules that a compiler does not check, as tests: which package may import
// which of ours, that every package says what it is, that no package hides its purpose behind a name such as
// util, and that nothing runs before main.
//
// The rules are the table in rules_test.go; it is the place to look up where a new piece belongs. A new
// package gets a row there. A row that departs from the plain flow has its reason beside it.
package archtest
