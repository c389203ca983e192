// Package loader gathers what the resolvers of one response ask for, one by one, into few calls of the
// store and the service.
//
// A [Loader] answers by key: keys that are asked for within a moment of each other become one call, and a
// key that was asked for is not asked for again. A [Grouped] does so for keys that carry a further wish,
// such as a page of each customer's loans. [Loaders] are all of them, made anew for each response (for
// each event of a subscription), so that nothing is older than the response.
//
// The batching itself is dataloader's. What it hands out ignores the caller's context, fails everybody
// when the first caller leaves, and prints keys when it is given too few results; so the answers travel
// by a way of their own, and dataloader only gathers the keys.
package loader
