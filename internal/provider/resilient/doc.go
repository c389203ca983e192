// Package resilient stands around the calls of providers, so that one that is slow, down or short of quota costs
// neither itself more than it can take nor anybody else anything.
//
// Each attempt of a call passes, in this order,
//
//  1. the circuit of its provider and class: while too many calls fail, none is let through but one to try;
//  2. the bulkhead of its provider and class: so many are under way at a time, and as many wait for a short while;
//  3. the plan that we have at the provider, counted by all replicas together: reads leave a part to writes, and what
//     runs in the background leaves a larger one;
//
// and then the deadline and the observer of [provider.Observe], which this package is put around: refused calls are
// not observed, and each attempt is. A refusal says that nothing was sent. Reads, and writes that the provider
// dedupes by our reference, are tried again after failures that may pass, as far as the request's budget and the
// provider's allowance of retries reach. No other write is ever tried again.
package resilient
