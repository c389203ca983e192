package wire

import (
	"regexp"
	"strings"
	"unicode"
)

// The most of a provider's text that is passed on.
const (
	longestWord     = 40  // bytes, also of a code
	longestShort    = 64  // characters
	longestSentence = 200 // bytes
)

var (
	// longNumber may be an account, a telephone or an identity: six digits together, or eight with single
	// spaces and hyphens between them.
	longNumber = regexp.MustCompile(`\p{Nd}{6}|\p{Nd}([ -]?\p{Nd}){7}`)
	// wholeNumber is one that is certainly complete: eight digits, with single spaces and hyphens or without.
	wholeNumber = regexp.MustCompile(`\p{Nd}([ -]?\p{Nd}){7,}`)
)

// Word is a text that is one word of Latin letters, hyphens and underscores, at most 40 of them: a name or a
// number would not pass for it. It is "" for any other text.
func Word(text Text) string {
	odd := strings.ContainsFunc(text.String(), func(r rune) bool { return !isLetter(r) && r != '_' && r != '-' })
	if odd || len(text) > longestWord {
		return ""
	}
	return text.String()
}

// Code is the first of the candidates that has the shape of a code: at most 40 letters, digits, dots,
// hyphens and underscores, among them no number that is long enough to be a person's. It is "" where none
// has.
func Code(candidates ...Text) string {
	for _, text := range candidates {
		if code := ID(text, longestWord); code != "" && !longNumber.MatchString(code) {
			return code
		}
	}
	return ""
}

// ID is a text that has the shape of a provider's id for something: letters, digits, dots, hyphens and
// underscores, at most longest of them. It is "" for any other text. Ids may hold long numbers.
func ID(text Text, longest int) string {
	odd := strings.ContainsFunc(text.String(), func(r rune) bool {
		return !isLetter(r) && (r < '0' || r > '9') && r != '_' && r != '-' && r != '.'
	})
	if odd || len(text) > longest {
		return ""
	}
	return text.String()
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

// Short is a text that is kept beside our own word for it: without what cannot be printed, and no more than
// its first 64 characters.
func Short(text Text) string {
	kept := []rune(printable(text))
	return string(kept[:min(len(kept), longestShort)])
}

// Sentence is a sentence that may be shown to people: at most 200 bytes, printable, without an address and
// without a number that may be an account, a telephone or an identity. It is "" for any other text.
func Sentence(text Text) string {
	if !isPlain(text.String()) || longNumber.MatchString(text.String()) {
		return ""
	}
	return text.String()
}

// Prompt is a question that a customer has to see to be able to answer. It is held to the rules of
// [Sentence], but loses less: characters that cannot be printed are dropped, and of a number of eight or
// more digits the last two stay, as it may say where a code was sent to. Numbers that the provider itself
// has masked are left as they are, with up to seven digits together.
func Prompt(text Text) string {
	question := strings.TrimSpace(printable(text))
	if !isPlain(question) {
		return ""
	}
	return wholeNumber.ReplaceAllStringFunc(question, masked)
}

// isPlain is what holds for every sentence, whatever numbers it has.
func isPlain(text string) bool {
	switch {
	case text == "", len(text) > longestSentence:
		return false
	case strings.ContainsAny(text, "@<>{}"), strings.Contains(text, "://"), strings.Contains(strings.ToLower(text), "www."):
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

func printable(text Text) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text.String())
}

// masked keeps the last two digits of a number.
func masked(number string) string {
	digits := []rune(number)
	hidden := len(digits) - 2
	return strings.Repeat("*", hidden) + string(digits[hidden:])
}
