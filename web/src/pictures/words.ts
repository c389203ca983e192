// The graph's words as people write them.

const names: Record<string, string> = {
  KREDETE: 'Kredete', TRUST_DECISION: 'TrustDecision', KREDMINT: 'Kredmint', CARBON: 'Carbon', ONE_PIPE: 'OnePipe',
};

/** providerName is a provider's name as it writes it; of one that came later, its word in the schema. */
export function providerName(provider: string | null | undefined): string {
  return provider ? (names[provider] ?? sentence(provider)) : 'No provider';
}

/** sentence writes an enum's value, or a word with underscores, as the beginning of a sentence: NOT_LINKED, "Not linked". */
export function sentence(word: string): string {
  const text = word.replaceAll('_', ' ').toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
