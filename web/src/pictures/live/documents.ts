// What the live pane asks the graph.

const event = `
  id type providerType provider source occurredAt receivedAt
  customer { id fullName } loan { id status providerStatus } payment { id amount { amount currency } }
  creditReport { id status } creditScore { id value }`;

/** followDocument follows events, from a cursor on. */
export const followDocument = `subscription LivePicture($filter: EventFilter, $after: String) {
  events(filter: $filter, after: $after) { cursor event { ${event} } }
}`;

/** lastDocument asks for the latest events, so that following can begin behind them. */
export const lastDocument = `query LivePictureLast($filter: EventFilter, $last: Int!) {
  events(filter: $filter, last: $last) { edges { cursor node { ${event} } } }
}`;

/** probeDocument asks whether the log can still be read from a cursor on. */
export const probeDocument = `query LivePictureProbe($filter: EventFilter, $after: String) {
  events(filter: $filter, first: 1, after: $after) { edges { cursor } }
}`;

const health = `
  provider name status circuit errorRate checkedAt lastWebhookAt sharedBy problem { code message since }
  latency { p50 p99 } rateLimit { limit remaining resetsAt } lastError { code message }`;

/** healthDocument asks how the providers are doing. */
export const healthDocument = `query LivePictureHealth { providers { ${health} } }`;

/** healthStream follows how the providers are doing; inside is true where what comes holds the provider in a field. */
export function healthStream(inside: boolean): string {
  return `subscription LivePictureHealthStream { providerHealth { ${inside ? `provider { ${health} }` : health} } }`;
}

/** kindsDocument asks what there is to filter by. The server takes two introspections in one document. */
export const kindsDocument = `query LivePictureKinds {
  types: __type(name: "EventType") { enumValues { name } }
  providers: __type(name: "CreditProvider") { enumValues { name } }
}`;

/** streamsDocument asks what there is to follow. */
export const streamsDocument = `query LivePictureStreams {
  streams: __type(name: "Subscription") {
    fields { name type { ...Named ofType { ...Named ofType { ...Named ofType { ...Named } } } } }
  }
}
fragment Named on __Type { name fields { name } }`;
