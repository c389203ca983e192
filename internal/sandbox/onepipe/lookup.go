package onepipe

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/sandbox/twin"
	"github.com/creditgraph/creditgraph/internal/sandbox/world"
)

// maxTries is how many wrong OTPs fail a transaction.
const maxTries = 3

// lookup is one transaction: the look-up of one customer's score.
type lookup struct {
	provider string // as the request named it
	person   world.Person
	state    envelope
	tries    int // wrong OTPs so far
}

// transact begins the look-up of a customer.
func (t *Twin) transact(in *request, body []byte) envelope {
	provider, ref := in.Auth.AuthProvider, in.Transaction.Ref
	if problem := t.problem(in); problem != "" {
		return failed(provider, codeInvalid, problem)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lookups[ref] != nil {
		return failed(provider, codeDuplicate, "Duplicate transaction_ref")
	}
	l := &lookup{provider: provider}
	t.lookups[ref] = l
	digest := twin.Fingerprint(body)
	t.record("score.request", ref, in.Transaction.Customer.Ref, digest)
	if account := t.account(in); account != "" {
		t.record("account.use", ref, account, digest)
	}
	person, known := t.options.World.ByCustomerRef(in.Transaction.Customer.Ref)
	l.person = person
	switch {
	case !known:
		l.state = failed(provider, codeNoCustomer, "Customer not found")
	case person.KYCStatus == lending.KYCFailed:
		l.state = failed(provider, codeNoData, "No data was found for this customer")
	case person.Index%5 == 3:
		l.state = waiting(provider, statusPendingValidation, codeInformation,
			"Please provide the customer's date_of_birth in meta")
	case t.overridden(&person):
		l.succeed(ref)
	default:
		l.state = waiting(provider, statusWaitingForOTP, codeOTP, "Please enter the OTP sent to "+masked(person.Phone))
		t.record("otp.send", ref, in.Transaction.Customer.Ref, digest)
	}
	return l.state
}

// problem is what is wrong with a request, "" where nothing is.
func (t *Twin) problem(in *request) string {
	switch {
	case in.RequestRef == "":
		return "request_ref is required"
	case in.RequestType != "get_credit_score":
		return "request_type is not supported"
	case in.Transaction.Ref == "":
		return "transaction_ref is required"
	case in.Transaction.Customer.Ref == "":
		return "customer_ref is required"
	case len(in.Transaction.Details) > 0 && string(in.Transaction.Details) != "null":
		return "details is expected to be null"
	}
	switch in.Auth.Type {
	case "", "null":
		return ""
	case "card", "bank.account", "wallet":
		if in.Auth.Secure == "" {
			return ""
		}
		if _, err := decrypt(in.Auth.Secure, t.options.ClientSecret); err != nil {
			return "auth.secure cannot be decrypted"
		}
		return ""
	}
	return "auth.type is not supported"
}

// account is the bank account of auth.secure ("accountNumber;bankCode") with all but four digits hidden; ""
// where there is none. problem has seen that it can be decrypted.
func (t *Twin) account(in *request) string {
	if in.Auth.Type != "bank.account" || in.Auth.Secure == "" {
		return ""
	}
	text, err := decrypt(in.Auth.Secure, t.options.ClientSecret)
	if err != nil {
		return ""
	}
	number, bank, _ := strings.Cut(text, ";")
	shown := number[max(0, len(number)-4):]
	return strings.Repeat("*", len(number)-len(shown)) + shown + ";" + bank
}

// validate takes what the customer was asked for. A transaction that waits for nothing stays as it is.
func (t *Twin) validate(in *request, body []byte) envelope {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lookups[in.Transaction.Ref]
	if l == nil {
		return unknownRef(in)
	}
	succeeded := false
	switch l.state.Status {
	case statusPendingValidation:
		succeeded = len(in.Transaction.Meta) > 0 || in.Auth.Secure != ""
	case statusWaitingForOTP:
		given := t.givenOTP(in)
		succeeded = given == RightOTP
		if !succeeded && given != "" {
			l.refuseOTP()
		}
	}
	if succeeded {
		l.succeed(in.Transaction.Ref)
		t.record("score.release", in.Transaction.Ref, l.person.CustomerRef, twin.Fingerprint(body))
	}
	return l.state
}

// query tells how a transaction stands.
func (t *Twin) query(in *request, _ []byte) envelope {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.lookups[in.Transaction.Ref]; l != nil {
		return l.state
	}
	return unknownRef(in)
}

// givenOTP is the OTP of a request, wherever it stands; "" where there is none.
func (t *Twin) givenOTP(in *request) string {
	if in.Auth.Secure == "" {
		return in.otpInDetails()
	}
	if text, err := decrypt(in.Auth.Secure, t.options.ClientSecret); err == nil {
		return text
	}
	return in.Auth.Secure
}

func (l *lookup) refuseOTP() {
	l.tries++
	if l.tries >= maxTries {
		l.state = failed(l.provider, codeWrongOTP, "The OTP was wrong too often")
		return
	}
	l.state.Message = "The OTP is not right. Please enter the OTP sent to " + masked(l.person.Phone)
}

// succeed puts the seed's success in the place of what was asked for: a score of 9 is an offer of 200000 and
// a confidence of 90, and others follow the same line.
func (l *lookup) succeed(ref string) {
	value := l.person.OnePipeScore
	l.state = envelope{
		Status: statusSuccessful, Message: "Transaction processed successfully",
		Data: data{Code: codeOK, Provider: l.provider, Response: &score{
			Score: value, ScaleMin: 0, ScaleMax: 10,
			Offer: 20_000 * int64(value+1), Confidence: 45 + 5*value,
			Reference: reference(ref), Meta: map[string]string{"bureau_record": string(l.person.Bureau)},
		}},
	}
}

// reference is thirty digits, as the seed's "000022200225154318222333334432", the same for the same
// transaction.
func reference(ref string) string {
	sum := sha256.Sum256([]byte(ref))
	return fmt.Sprintf("000022%012d%012d",
		binary.BigEndian.Uint64(sum[:])%1e12, binary.BigEndian.Uint64(sum[8:])%1e12)
}

// masked is a phone number as the seed shows one: "2348022****08".
func masked(e164 string) string {
	digits := strings.TrimPrefix(e164, "+")
	if len(digits) < 10 {
		return strings.Repeat("*", len(digits))
	}
	return digits[:7] + strings.Repeat("*", len(digits)-9) + digits[len(digits)-2:]
}

// record notes an effect. Keys are refs that the client chose; the lock may be held.
func (t *Twin) record(operation, ref, entity, digest string) {
	t.core.Effects.Record(twin.Effect{Operation: operation, Key: ref, EntityID: entity, Fingerprint: digest})
}

func unknownRef(in *request) envelope {
	return failed(in.Auth.AuthProvider, codeUnknownRef, "There is no such transaction")
}

func failed(provider, code, message string) envelope {
	why := fault{Code: code, Message: message}
	return envelope{Status: statusFailed, Message: message, Data: data{
		Code: code, Provider: provider, Errors: []fault{why}, Error: &why,
	}}
}

func waiting(provider, status, code, message string) envelope {
	return envelope{Status: status, Message: message, Data: data{Code: code, Provider: provider}}
}
