package onepipe

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/creditgraph/creditgraph/internal/lending"
	"github.com/creditgraph/creditgraph/internal/provider"
)

// body is the body of all three calls; what a call does not have is absent from it (seed 004, Request).
type body struct {
	RequestRef  string `json:"request_ref"`
	RequestType string `json:"request_type"`
	Auth        any    `json:"auth,omitempty"` // authorization or answerAuth; absent from a query
	Transaction any    `json:"transaction"`    // transaction or transactionKey
}

// authorization is auth as the seed shows it, with its nulls.
type authorization struct {
	Type         *string `json:"type"`
	Secure       *string `json:"secure"`
	AuthProvider string  `json:"auth_provider"`
	RouteMode    *string `json:"route_mode"`
}

// transaction asks for a score. Amount is 0 and Details null for this service; Meta is for nuances of
// single providers, of which there are none here.
type transaction struct {
	MockMode  string   `json:"mock_mode"`
	Ref       string   `json:"transaction_ref"`
	Desc      string   `json:"transaction_desc"`
	RefParent *string  `json:"transaction_ref_parent"`
	Amount    int      `json:"amount"`
	Customer  customer `json:"customer"`
	Meta      struct{} `json:"meta"`
	Details   *string  `json:"details"`
}

// customer is who is to be scored. MobileNo is in international form without a plus.
type customer struct {
	Ref       string `json:"customer_ref"`
	FirstName string `json:"firstname"`
	Surname   string `json:"surname"`
	Email     string `json:"email"`
	MobileNo  string `json:"mobile_no"`
}

// answerAuth carries what the customer answered to a prompt.
type answerAuth struct {
	Secure       *string `json:"secure"`
	AuthProvider string  `json:"auth_provider"`
}

// transactionKey names a transaction that OnePipe has.
type transactionKey struct {
	Ref     string      `json:"transaction_ref"`
	Details *otpDetails `json:"details,omitempty"`
}

type otpDetails struct {
	OTP string `json:"otp"`
}

// newRef makes a request_ref: 128 random bits in hex.
func (c *client) newRef() (string, error) {
	var bits [16]byte
	if _, err := io.ReadFull(c.random, bits[:]); err != nil {
		return "", internal(fmt.Errorf("make a request reference: %w", err))
	}
	return hex.EncodeToString(bits[:]), nil
}

// scoreTransaction is a request for a score.
func (c *client) scoreTransaction(request provider.ScoreRequest) transaction {
	return transaction{
		MockMode: c.MockMode, Ref: request.Reference, Desc: "Credit score request",
		Customer: customer{
			Ref: request.CustomerExternalID, FirstName: request.FirstName, Surname: request.LastName,
			Email: request.Email, MobileNo: strings.TrimPrefix(request.Phone, "+"),
		},
	}
}

// authorize is auth for an account, encrypted; without one both its type and its secret are null.
func (c *client) authorize(account *provider.ScoreAccount) (authorization, error) {
	auth := authorization{AuthProvider: c.AuthProvider}
	if account == nil {
		return auth, nil
	}
	kind, fields, err := c.secrets(account)
	if err != nil {
		return authorization{}, err
	}
	parts := make([]string, 0, len(fields))
	var problems []lending.Problem
	for _, field := range fields {
		// The parts are joined by semicolons, so one within a part would shift those after it.
		if field.value == "" || strings.ContainsAny(field.value, ";\r\n") {
			problems = append(problems, mend("OnePipe needs this field, without a semicolon in it.", field.path...))
		}
		parts = append(parts, field.value)
	}
	if len(problems) > 0 {
		return authorization{}, invalid(problems...)
	}
	auth.Type, auth.Secure = &kind, new(c.sealer.seal(strings.Join(parts, ";")))
	return auth, nil
}

// secret is one part of what is encrypted, with its place in the input.
type secret struct {
	value string
	path  []string
}

// secrets are the parts that authorise, in OnePipe's order, and its word for the kind of account.
func (c *client) secrets(account *provider.ScoreAccount) (kind string, parts []secret, err error) {
	switch account.Type {
	case provider.AccountBank:
		bank := account.Bank
		if bank == nil {
			bank = &lending.BankAccount{}
		}
		return "bank.account", []secret{
			{bank.AccountNumber, []string{"account", "bank", "accountNumber"}},
			{bank.BankCode, []string{"account", "bank", "bankCode"}},
		}, nil
	case provider.AccountWallet:
		return "wallet", []secret{
			{account.WalletNumber, []string{"account", "walletNumber"}},
			{account.WalletProvider, []string{"account", "walletProvider"}},
		}, nil
	case provider.AccountCard:
		if !c.AllowCards {
			return "", nil, invalid(mend("Scores are not authorised by cards here. Use a bank account or a wallet.", "account"))
		}
		return "card", []secret{
			{account.CardNumber, []string{"account", "cardNumber"}},
			{account.CardCVV, []string{"account", "cardCvv"}},
			{account.CardExpiry, []string{"account", "cardExpiry"}},
			{account.CardPIN, []string{"account", "cardPin"}},
		}, nil
	}
	return "", nil, invalid(mend("Use a bank account or a wallet.", "account", "type"))
}

// answer is what the customer answered, where the settings have it.
func (c *client) answer(confirmation provider.ScoreConfirmation) (answerAuth, transactionKey) {
	auth, key := answerAuth{AuthProvider: c.AuthProvider}, transactionKey{Ref: confirmation.Reference}
	switch {
	case c.OTPIn == OTPInDetails:
		key.Details = &otpDetails{OTP: confirmation.Secret}
	case c.PlainOTP:
		auth.Secure = &confirmation.Secret
	default:
		auth.Secure = new(c.sealer.seal(confirmation.Secret))
	}
	return auth, key
}

// mend is a problem of one field of the input, with what to do about it.
func mend(message string, field ...string) lending.Problem {
	return lending.Problem{Kind: lending.KindValidation, Message: message, Field: append([]string{"input"}, field...)}
}

// invalid is the error for an input with problems, of which nothing was sent.
func invalid(problems ...lending.Problem) error {
	e := lending.Invalid(problems...)
	e.Provider = lending.OnePipe
	return e
}

// internal is a failure of our own before anything was sent.
func internal(err error) error {
	return &lending.Error{Provider: lending.OnePipe, Kind: lending.KindInternal, Outcome: lending.NotExecuted, Err: err}
}
