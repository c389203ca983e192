package wire

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// kept checks what becomes of a text: "" in the table stands for a text that is not passed on.
func kept(t *testing.T, pass func(Text) string, table map[string]string) {
	t.Helper()
	for text, want := range table {
		if got := pass(Text(text)); got != want {
			t.Errorf("%q is passed on as %q, want %q", text, got, want)
		}
	}
}

func TestWordsAreLettersAlone(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("w", 40)
	kept(t, Word, map[string]string{
		"ON_HOLD": "ON_HOLD", "kyc-failed": "kyc-failed", long: long,
		"": "", long + "w": "", "two words": "", "tier2": "", "a.b": "", "Ọlá": "", "a\n": "", "\xff": "",
	})
}

func TestCodesAreNoPersonsNumbers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("c", 40)
	kept(t, func(text Text) string { return Code(text) }, map[string]string{
		"E-12": "E-12", "4012": "4012", "900T0": "900T0", "validation.amount_1": "validation.amount_1", "12345": "12345", long: long,
		"": "", long + "c": "", "customer declined": "", "E/12": "", "E12\n": "", "é": "",
		"9887206895": "", "E123456": "", "0801-234-5678": "", "BVN-22370756505": "",
	})
	if got := Code("no such customer", "08012345678", "E7", "E8"); got != "E7" {
		t.Errorf("of several candidates %q is taken, want the first code", got)
	}
	if got := Code(); got != "" {
		t.Errorf("of no candidates %q is taken", got)
	}
}

func TestIDsMayHoldLongNumbers(t *testing.T) {
	t.Parallel()
	kept(t, func(text Text) string { return ID(text, 33) }, map[string]string{
		"1699272744735016i303341798930550": "1699272744735016i303341798930550", "UDOC-5018": "UDOC-5018", "a.b_c": "a.b_c",
		"": "", "a b": "", "a/b": "", "a\x00": "", strings.Repeat("i", 34): "",
	})
}

func TestShortTextsAreCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	kept(t, Short, map[string]string{
		"": "", "Paid": "Paid", "a\x1b[31mb\n": "a[31mb", strings.Repeat("ọ", 70): strings.Repeat("ọ", 64),
	})
}

// shown are sentences that pass, and unfit such as neither [Sentence] nor [Prompt] lets through.
var (
	shown = []string{
		"Amount must be greater than minimum loan amount of 10000", "is too short", "invalid amount or date provided",
		"Zwischen 1 und 6 Monaten, bitte.", "Due on 12-05-26", strings.Repeat("x", 200),
	}
	unfit = []string{
		"", strings.Repeat("x", 201), "see https://internal/wiki", "see ftp://a", "go to WWW.example.com", "ask ops@kredete.test",
		"<b>no</b>", "{name} empty",
	}
)

func TestSentencesAreFitForPeople(t *testing.T) {
	t.Parallel()
	table := map[string]string{
		"account 1234567890 is blocked": "", "OTP 123456 is wrong": "", "call 0801 234 5678": "", "call 0801-234-5678": "",
		"call ٠٨٠١٢٣٤": "", "a\nb": "", "a\x1b[31m": "", "a\u202eb": "",
	}
	for _, text := range shown {
		table[text] = text
	}
	for _, text := range unfit {
		table[text] = ""
	}
	kept(t, Sentence, table)
}

func TestPromptsKeepTheEndOfANumber(t *testing.T) {
	t.Parallel()
	table := map[string]string{
		"Sent to 2348022****08":     "Sent to 2348022****08", // OnePipe's own mask (seed 004)
		"Sent to 2348023431320":     "Sent to ***********20",
		"Sent to 0802 343 1320 now": "Sent to ***********20 now",
		"Sent to ٢٣٤٨٠٢٣٤":          "Sent to ******٣٤",
		" Enter\u001b[31m it\n":     "Enter[31m it",
		"\n":                        "",
	}
	for _, text := range shown {
		table[text] = text
	}
	for _, text := range unfit {
		table[text] = ""
	}
	kept(t, Prompt, table)
}

// Whatever a provider writes, what is passed on is bounded, printable and without a whole number of a
// person's.
func TestWhatIsPassedOnIsFit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := Text(rapid.OneOf(
			rapid.String(), rapid.StringMatching(`[a-z <@./:-]{0,20}[0-9 -]{0,24}[a-z\x00\n ]{0,20}`),
		).Draw(rt, "text"))
		for name, got := range map[string]string{
			"Word": Word(text), "Code": Code(text), "ID": ID(text, 128), "Short": Short(text),
			"Sentence": Sentence(text), "Prompt": Prompt(text),
		} {
			if len(got) > 256 || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
				rt.Fatalf("%s of %q is %q", name, text, got)
			}
			if name != "ID" && name != "Short" && wholeNumber.MatchString(got) {
				rt.Fatalf("%s of %q tells a number: %q", name, text, got)
			}
		}
	})
}
