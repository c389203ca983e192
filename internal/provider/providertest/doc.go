// Package providertest is the one conformance suite that every driver passes. A driver's test gives it a
// [Harness]: how to make the driver against an upstream, one [Call] for each thing that it can be asked,
// and a reason for each thing that it cannot. The suite then breaks the upstream in every way that a
// provider breaks in practice and checks what becomes of it: which kind of error, whether it may be
// retried, whether it may have happened, that nothing secret shows, and that nothing is sent twice.
package providertest
