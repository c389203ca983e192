package store

import (
	"strings"

	"github.com/uptrace/bun"
)

// The shortest and the longest telephone number with its country's code (ITU-T E.164), in digits. What is
// searched for may lack the code.
const (
	shortestNumber = 7
	longestNumber  = 15
)

// nationalDigits is how many digits a number has in the countries of callingCodes, without the 0 that is
// dialled before it at home.
const nationalDigits = 10

// homeCode is the country of a stored number that names none: Nigeria's providers write such numbers.
const homeCode = "234"

// callingCodes are the countries that a number may be of which is searched for without one: Nigeria and India,
// where the providers are, and the United States and the United Kingdom, from where Nigerians borrow.
func callingCodes() []string { return []string{homeCode, "91", "1", "44"} }

// emailKey is what two spellings of one e-mail address have in common.
func emailKey(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// isEmail tells an e-mail address from a name: a name has no @.
func isEmail(word string) bool {
	name, domain, found := strings.Cut(word, "@")
	return found && name != "" && domain != ""
}

// numberPunctuation is what stands between the digits of a number for those who read it.
const numberPunctuation = "-.()/ \u00a0"

// digitsOf are a number's digits. It reports whether the country's code is among them, and whether the text is a
// number at all.
func digitsOf(text string) (digits string, international, ok bool) {
	for _, r := range text {
		switch {
		case '0' <= r && r <= '9':
			digits += string(r)
		case r == '+' && digits == "":
			international = true
		case !strings.ContainsRune(numberPunctuation, r):
			return "", false, false
		}
	}
	if rest, dialled := strings.CutPrefix(digits, "00"); dialled && !international {
		digits, international = rest, true
	}
	return digits, international, len(digits) >= shortestNumber && len(digits) <= longestNumber
}

// phoneKey is what the spellings of one telephone number have in common: its digits with the country's code. A
// text that is no number is its own key.
func phoneKey(number string) string {
	digits, international, ok := digitsOf(number)
	switch {
	case !ok:
		return strings.TrimSpace(number)
	case !international && len(digits) == nationalDigits+1 && digits[0] == '0':
		return homeCode + digits[1:]
	}
	return digits
}

// phoneKeys are the keys of the numbers that somebody who writes this may mean; none for a text that is no
// number.
func phoneKeys(text string) []string {
	digits, international, ok := digitsOf(text)
	if !ok {
		return nil
	}
	keys := []string{digits}
	national := strings.TrimPrefix(digits, "0")
	if international || len(national) != nationalDigits {
		return keys
	}
	for _, code := range callingCodes() {
		keys = append(keys, code+national)
	}
	return keys
}

// terms takes a search apart: each word is one term, but what together looks like one telephone number is
// not torn at its spaces.
func terms(search string) []string {
	words := strings.Fields(search)
	var found []string
	for i := 0; i < len(words); {
		end := i + 1
		for j := len(words); j > i+1; j-- {
			if joined := strings.Join(words[i:j], " "); phoneKeys(joined) != nil {
				found, end = append(found, joined), j
				break
			}
		}
		if end == i+1 {
			found = append(found, words[i])
		}
		i = end
	}
	return found
}

// emailIndex and phoneIndex are the keyed hashes by which customers are found; nil for nothing.
func (v *vault) emailIndex(address string) []byte { return v.blind("email", emailKey(address)) }

func (v *vault) phoneIndex(number string) []byte { return v.blind("phone", phoneKey(number)) }

// matching keeps the customers that one term of a search finds: an e-mail address and a telephone number by
// what they are as a whole, anything else by any part of a name.
func (v *vault) matching(q *bun.SelectQuery, term string) *bun.SelectQuery {
	if isEmail(term) {
		return q.Where("entry.email_index = ?", v.emailIndex(term))
	}
	keys := phoneKeys(term)
	if keys == nil {
		return q.Where(`entry.search LIKE ? ESCAPE '\'`, "%"+likeEscapes.Replace(strings.ToLower(term))+"%")
	}
	hashes := make([][]byte, len(keys))
	for i, key := range keys {
		hashes[i] = v.blind("phone", key)
	}
	return q.Where("entry.phone_index IN (?)", bun.List(hashes))
}
