// Package lending is the vocabulary of creditgraph: customers, loans, payments, credit reports and
// scores, the operations that change them and the events that report on them.
//
// It imports the standard library alone and does no input or output. Its rules hold everywhere:
//
//   - An amount is a [Money]: whole minor units and a currency. There is no float.
//   - A closed set is a string type whose values are the names that the graph shows. The zero value
//     means "not told"; a word that nobody knows becomes the set's Unknown value, and the provider's
//     own word stands beside it in a field named Provider….
//   - Text, dates and times that are absent are zero; a pointer is used where zero is a real value.
//   - Times are UTC.
package lending
