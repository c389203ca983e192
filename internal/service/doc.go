// Package service holds the use cases: the credit summary, the actions on loans, the ordering of scores
// and reports, and what a provider's webhook changes. It knows the providers through their port and the
// database through the small interfaces that it declares here.
package service
