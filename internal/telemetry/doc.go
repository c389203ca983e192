// Package telemetry tells operators what the service does: metrics for Prometheus, traces by OTLP, log lines that
// can be joined with both, and the account of one request.
//
// A [Telemetry] is the one thing that the other parts are given. Each of its methods is a hook that one of them calls or
// takes: an interceptor of providers' calls, an observer of statements, a hook of the Redis client. None of them is
// told a document, a variable, an id, a key or a value, and no label or attribute can hold one: labels are words of
// ours, of closed lists, and the names of operations, of which there is a bounded number (see Names).
package telemetry
