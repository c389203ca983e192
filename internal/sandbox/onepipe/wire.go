package onepipe

import "encoding/json"

// The statuses of an envelope (seed 004, Possible status response codes).
const (
	statusSuccessful        = "Successful"
	statusFailed            = "Failed"
	statusWaitingForOTP     = "WaitingForOTP"
	statusPendingValidation = "PendingValidation"
)

// The provider_response_code of each answer. The seed tells those of success and of a wanted OTP; the
// others are this twin's own.
const (
	codeOK           = "00"
	codeOTP          = "900T0"
	codeInformation  = "900T1"
	codeInvalid      = "INVALID_REQUEST"
	codeUnauthorized = "UNAUTHORIZED"
	codeNoCustomer   = "CUSTOMER_NOT_FOUND"
	codeNoData       = "NO_DATA"
	codeDuplicate    = "DUPLICATE_TRANSACTION_REF"
	codeUnknownRef   = "TRANSACTION_NOT_FOUND"
	codeWrongOTP     = "OTP_EXHAUSTED"
	codeUnavailable  = "SERVICE_UNAVAILABLE"
)

// request is the body of all three calls (seed 004, Request (Transact)). The seed's examples carry comments,
// which no real body does.
type request struct {
	RequestRef  string      `json:"request_ref"`
	RequestType string      `json:"request_type"`
	Auth        auth        `json:"auth"`
	Transaction transaction `json:"transaction"`
}

type auth struct {
	Type         string `json:"type"` // card, bank.account, wallet or null
	Secure       string `json:"secure"`
	AuthProvider string `json:"auth_provider"`
	RouteMode    string `json:"route_mode"`
}

type transaction struct {
	MockMode    string                     `json:"mock_mode"`
	Ref         string                     `json:"transaction_ref"`
	Description string                     `json:"transaction_desc"`
	ParentRef   string                     `json:"transaction_ref_parent"`
	Amount      json.Number                `json:"amount"`
	Customer    customer                   `json:"customer"`
	Meta        map[string]json.RawMessage `json:"meta"`
	Details     json.RawMessage            `json:"details"`
}

type customer struct {
	Ref       string `json:"customer_ref"`
	FirstName string `json:"firstname"`
	Surname   string `json:"surname"`
	Email     string `json:"email"`
	Mobile    string `json:"mobile_no"`
}

// otpInDetails is the text at transaction.details.otp, "" where there is none.
func (r *request) otpInDetails() string {
	var details struct {
		OTP string `json:"otp"`
	}
	if json.Unmarshal(r.Transaction.Details, &details) != nil {
		return "" // null, or of another shape: there is no OTP in it
	}
	return details.OTP
}

// envelope is every answer.
type envelope struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Data    data   `json:"data"`
}

type data struct {
	Code     string  `json:"provider_response_code"`
	Provider string  `json:"provider"`
	Errors   []fault `json:"errors"` // null where there are none
	Error    *fault  `json:"error"`
	Response *score  `json:"provider_response"`
}

type fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// score is the provider_response of a success.
type score struct {
	Score      int               `json:"loans_score"`
	ScaleMin   int               `json:"scale_min"`
	ScaleMax   int               `json:"scale_max"`
	Offer      int64             `json:"offer_amount"` // naira, whole
	Confidence int               `json:"confidence"`   // percent
	Reference  string            `json:"reference"`
	Meta       map[string]string `json:"meta"`
}
