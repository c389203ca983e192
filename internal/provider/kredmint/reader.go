package kredmint

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider/wire"
)

// reader puts Kredmint's words and numbers into ours, and tells the log of what it does not know.
type reader struct {
	odd   *wire.Oddities
	clock func() time.Time
}

// lineState is the state of a credit line (seed 002, "state").
func (r *reader) lineState(word wire.Text) lending.CreditLineState {
	switch wire.Keyword(word) {
	case "incompleteprofile":
		return lending.LineIncomplete
	case "active":
		return lending.LineActive
	}
	r.odd.Word("state", string(word))
	return lending.LineUnknown
}

// supplierStatus is the status of a supplier, of which the documentation shows one.
func (r *reader) supplierStatus(word wire.Text) lending.SupplierStatus {
	if wire.Keyword(word) == "initiated" {
		return lending.SupplierPending
	}
	r.odd.Word("supplier status", string(word))
	return lending.SupplierUnknown
}

// loanStatus is the status of an invoice's payment. "Verified" is a check before the decision, and what
// "Completed" adds to "Paid" is not documented: the money has left in both.
func (r *reader) loanStatus(word wire.Text) lending.LoanStatus {
	switch wire.Keyword(word) {
	case "initiated", "verified":
		return lending.LoanPendingReview
	case "approved":
		return lending.LoanApproved
	case "paid", "completed":
		return lending.LoanDisbursed
	case "failed":
		return lending.LoanFailed
	case "cancelled":
		return lending.LoanCancelled
	}
	r.odd.Word("invoice status", string(word))
	return lending.LoanUnknown
}

// firstMillisecond is the smallest number that is taken for milliseconds since 1970: less would be a day
// before March 1973, and is almost surely in seconds.
const firstMillisecond = 100_000_000_000

// lastMillisecond is the end of the year 9999.
const lastMillisecond = 253_402_300_799_999

// instant reads a time in milliseconds since 1970. A value that can only be in seconds is read so, with
// a warning (the documentation's own sample is one); anything else that is no time is the zero time.
func (r *reader) instant(field string, n wire.Number) time.Time {
	if !n.IsSet() && !n.Malformed() {
		return time.Time{}
	}
	whole, _, _ := strings.Cut(n.Literal(), ".")
	millis, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || millis <= 0 || millis > lastMillisecond {
		r.odd.Value("not a time", field)
		return time.Time{}
	}
	if millis < firstMillisecond {
		r.odd.Value("a time in seconds instead of milliseconds", field)
		millis *= 1000
	}
	return time.UnixMilli(millis).UTC()
}

// rupees reads an amount; nil where it is not told. More than two decimal places are an error.
func rupees(n wire.Number) (*lending.Money, error) { return wire.MajorMoney(n, lending.INR) }

// longestID is the most characters that we take an id of Kredmint's to have.
const longestID = 64

// identifier is an id of Kredmint's; "" for what has not the shape of one.
func identifier(id wire.Text) string { return wire.ID(id, longestID) }

// sentence is a reason that Kredmint gave, where it is fit for people.
func sentence(reason wire.Text) string {
	if reason == "" {
		return ""
	}
	return cmp.Or(wire.Sentence(reason), "Kredmint gave a reason that is not shown here.")
}

// webAddress is an absolute address of the web; "" for anything else, such as a script.
func webAddress(address wire.Text) string {
	u, err := url.Parse(string(address))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return string(address)
}

// national is a mobile number as Kredmint knows it: ten digits without the country's code.
func national(phone string) string {
	digits := strings.NewReplacer(" ", "", "-", "").Replace(phone)
	if rest, found := strings.CutPrefix(digits, "+91"); found && len(rest) == 10 {
		return rest
	}
	return digits
}
